-- Paths, fits and cross-validations as objects: what their fields and methods say.
local lariat = require "lariat"
local near = require "spec.support.near"

local glm, P = lariat.glm, lariat.penalty
local f64 = { dtype = "float64" }
local d = lariat.data.diabetes { dtype = "float64" }
local wine = lariat.data.wine { dtype = "float64" }
local cancer = lariat.data.breast_cancer { dtype = "float64" }

local function path(change)
  local q = { data = d, standardize = true, n_lambda = 12, tol = 1e-10 }
  for key, v in pairs(change or {}) do q[key] = v end
  return glm.path(q)
end

local function has(text, words) assert.is_truthy(text:find(words, 1, true), text) end

describe("a path", function()
  local p = path()

  it("has a point for each lambda, falling, from where all is 0", function()
    assert.same({ 10, 12 }, p.coef.shape)
    assert.same({ 12 }, p.intercept.shape)
    assert.equal(0, p.df[1])
    assert.equal(10, p.df[12])
    near.check(p.lambda[1], p.lambda_max)
    near.check(p.lambda[12], p.lambda_max * 1e-4)
    assert.is_true(p.lambda[{ { 1, 11 } }]:gt(p.lambda[{ { 2, 12 } }]):all():item())
    for l = 1, 12 do assert.equal("converged", p.status[l]) end
    assert.equal("complete", p.ended)
    assert.is_true(p.gap:le(1e-10):all():item())
    near.check(p.dev_ratio[12], 1 - p.loss[12] * 2 / p.null_deviance, { rel = 1e-9 })
  end)

  it("gives a point by its lambda, one between by interpolation, any by a fit", function()
    local fit = p:at(p.lambda[4])
    near.check(fit.coef, p.coef[{ {}, 4 }])
    assert.equal(p.intercept[4], fit.intercept)
    local l = (p.lambda[4] + p.lambda[5]) / 2
    local half, exact = p:at(l), p:at(l, { exact = true })
    near.check(half.coef, (p.coef[{ {}, 4 }] + p.coef[{ {}, 5 }]) / 2)
    assert.equal("interpolated", half.status)
    assert.equal("converged", exact.status)
    local alone = glm.fit { data = d, standardize = true, lambda = l, tol = 1e-10 }
    near.check(exact.coef, alone.coef, { rel = 1e-5, abs = 1e-7 })
    near.check(p:at(1e9).coef, p.coef[{ {}, 1 }])
    near.check(p:at(0).coef, p.coef[{ {}, 12 }])
  end)

  it("predicts at one lambda, at several, at all; tensors, sets, sparse matrices", function()
    local by_hand = d.x:matmul(p.coef[{ {}, 7 }]) + p.intercept[7]
    near.check(p:predict(d.x, p.lambda[7]), by_hand)
    near.check(p:predict(d, { p.lambda[3], p.lambda[7] })[{ {}, 2 }], by_hand)
    near.check(p:predict(d.x)[{ {}, 7 }], by_hand)
    near.check(p:predict(lariat.sparse.csc(d.x))[{ {}, 7 }], by_hand)
    near.check(p:predict(d.x:float(), p.lambda[7]), by_hand, { rel = 1e-4 })
    near.check(p:predict(d.x[1], p.lambda[7]), { by_hand[1] })
  end)

  it("has the criteria of its likelihood", function()
    local n, rss = #d, p.loss * 2
    local minus2 = rss:log() * n
    near.check(p:aic(), minus2 + p.df:double() * 2)
    near.check(p:bic(), minus2 + p.df:double() * math.log(n))
    local three = { 120, 10, 1, 1 } -- log(10 choose df) of df 3, 1, 0, 10
    local extra = p:ebic(1) - p:bic()
    for l = 1, 12 do
      local want = ({ [0] = 1, [1] = 10, [3] = three[1], [10] = 1 })[p.df[l]]
      if want then near.check(extra[l], 2 * math.log(want), { abs = 1e-9 }) end
    end
    assert.equal(p:best("bic").lambda, p.lambda[p:bic():argmin():item()])
    assert.has_error(function() path { family = "huber" }:aic() end)
  end)

  it("is refitted without shrinkage to least squares on its columns", function()
    local fit = p:at(p.lambda[4])
    local free = fit:debias()
    local used = lariat.arange(1, 10, { dtype = "int64" })[fit.coef:ne(0)]
    local design = lariat.cat({ lariat.ones(#d, 1, f64), d.x:index_select(2, used) }, 2)
    local exact = lariat.linalg.lstsq(design, d.y:reshape(-1, 1)):reshape(-1)
    near.check(free.coef:index_select(1, used), exact[{ { 2, -1 } }], { rel = 1e-5 })
    near.check(free.intercept, exact[1], { rel = 1e-5 })
    assert.equal(fit.df, free.df)
    near.check(fit:relax(0.25).coef, fit.coef * 0.25 + free.coef * 0.75)
    assert.equal(12, #p:relax())
  end)

  it("has the knots of the lasso, and solver = 'lars' is the path of them", function()
    local knots = p.knots
    near.check(knots.lambda[1], p.lambda_max, { rel = 1e-9 })
    local exact = path { solver = "lars" }
    near.check(exact.coef, knots.coef, { abs = 1e-9 })
    local l = p.lambda[5]
    near.check(exact:at(l).coef, p.coef[{ {}, 5 }], { rel = 1e-4, abs = 1e-5 })
  end)

  it("says where MCP stops being convex, and nothing for the lasso", function()
    assert.is_nil(p.convex_until)
    local mcp = path { penalty = P.mcp { gamma = 3 }, n_lambda = 40 }
    assert.is_true(mcp.convex_until > mcp.lambda[mcp.lambda.numel])
    assert.is_true(mcp.convex_until < mcp.lambda[1])
    assert.is_true(mcp.kkt:le(1e-6):all():item())
  end)

  it("prints the objective, df, deviance and lambda", function()
    local text = tostring(p)
    has(text, "gaussian, 442 rows, 10 columns")
    has(text, "(y_i - f_i)^2 / 2 + lambda * |b|_1")
    has(text, "Df    %Dev       Lambda")
    assert.equal(17, select(2, text:gsub("\n", "")) + 1)
    has(p:at(1):objective(), "+ 1 * |b|_1")
    has(tostring(p:at(p.lambda[5])), "bmi")
    assert.equal("bmi", d.names[3])
    assert.equal(p:at(1):table(1)[1].value, p:at(1).coef:abs():max():item())
  end)

  it("draws, or says what is missing", function()
    for _, object in ipairs { p, glm.cv { data = d, n_lambda = 10 } } do
      local file = os.tmpname() .. ".svg"
      local ok, why = pcall(object.plot, object, file)
      assert.is_truthy(ok or why:find "gnuplot is not installed", why)
      os.remove(file)
    end
    assert.has_error(function() p:plot("file.pdf") end)
    local taken = os.tmpname()
    local _, why = pcall(p.plot, p, taken .. "/file.svg")
    os.remove(taken)
    assert.is_truthy(why:find(taken, 1, true) or why:find "gnuplot is not installed", why)
  end)
end)

describe("a fit", function()
  it("takes the strength of its penalty, times lambda", function()
    local a = glm.fit { data = d, penalty = 2 * P.l1(), tol = 1e-12 }
    local b = glm.fit { data = d, penalty = P.l1(0.5), lambda = 4, tol = 1e-12 }
    near.check(a.coef, b.coef, { rel = 1e-8, abs = 1e-9 })
    assert.equal(1, a.lambda)
  end)

  it("of a penalty that is not convex is that of a path", function()
    local q = { data = d, standardize = true, penalty = 3 * P.mcp(), tol = 1e-10 }
    local fit = glm.fit(q)
    local p = path { penalty = P.mcp(), lambda = { 40, 20, 10, 6, 3 } }
    near.check(fit.coef, p.coef[{ {}, 5 }], { rel = 1e-5, abs = 1e-6 })
  end)

  it("in float32 agrees to 1e-4; sparse as dense; weights are rows repeated", function()
    local q = { standardize = true, lambda = 2, tol = 1e-12 }
    local function at(change)
      local own = { x = d.x, y = d.y }
      for key, v in pairs(q) do own[key] = v end
      for key, v in pairs(change) do own[key] = v end
      return glm.fit(own)
    end
    local fit = at {}
    near.check(at { x = d.x:float() }.coef, fit.coef, { rel = 1e-4, abs = 1e-4 })
    near.check(at { x = lariat.sparse.csc(d.x) }.coef, fit.coef, { rel = 1e-8, abs = 1e-8 })
    local twice = lariat.cat({ d.x, d.x[{ { 1, 100 } }] }, 1)
    local w = lariat.ones(#d, f64)
    w[{ { 1, 100 } }] = 2
    near.check(at { weights = w }.coef,
      at { x = twice, y = lariat.cat({ d.y, d.y[{ { 1, 100 } }] }, 1) }.coef,
      { rel = 1e-7, abs = 1e-8 })
  end)

  it("predicts classes in the labels of y", function()
    local q = { data = cancer, family = "binomial", standardize = true, lambda = 0.02 }
    local fit = glm.fit(q)
    local class = fit:predict(cancer, { type = "class" })
    assert.equal("int64", class.dtype)
    assert.is_true(class:eq(cancer.y):double():mean():item() > 0.94)
    near.check(fit:predict(cancer), fit:predict(cancer, { type = "link" }):sigmoid())
    q.y = cancer.y:double() * 5
    assert.same({ 5, 10 }, { glm.fit(q):predict(cancer, { type = "class" }):min():item(),
      glm.fit(q):predict(cancer, { type = "class" }):max():item() })
  end)

  it("of several classes has a column for each, and probabilities", function()
    local fit = glm.fit {
      data = wine, family = "multinomial", standardize = true, lambda = 0.02,
    }
    assert.same({ 13, 3 }, fit.coef.shape)
    local p = fit:predict(wine)
    near.check(p:sum(2), lariat.ones(#wine))
    local class = fit:predict(wine, { type = "class" })
    assert.is_true(class:eq(wine.y):double():mean():item() > 0.95)
    has(tostring(fit), "multinomial (3)")
  end)

  it("takes an offset, and asks for one to predict", function()
    local shift = lariat.randn(#d, f64)
    local fit = glm.fit { data = d, lambda = 1, offset = shift, tol = 1e-12 }
    local moved = glm.fit { x = d.x, y = d.y - shift, lambda = 1, tol = 1e-12 }
    near.check(fit.coef, moved.coef, { rel = 1e-7, abs = 1e-8 })
    assert.has_error(function() fit:predict(d.x) end)
    near.check(fit:predict(d.x, { offset = shift }), moved:predict(d.x) + shift, { rel = 1e-7 })
  end)

  it("as ncvreg: standardised MCP, with its own share of ridge", function()
    local as = glm.path { data = d, compat = "ncvreg", alpha = 0.7, lambda = { 10, 2 } }
    local own = glm.path {
      data = d, standardize = true, lambda = { 10, 2 },
      penalty = 0.7 * P.mcp { gamma = 3 } + P.l2(0.3),
    }
    near.check(as.coef, own.coef, { rel = 1e-9, abs = 1e-9 })
  end)
end)

-- Orthonormal columns part the problem into p of one coefficient, with the solutions of Breheny
-- & Huang 2011 (Ann. Appl. Stat. 5(1), sec. 2), where z = x'y/n, l1 = lambda alpha m and
-- l2 = lambda (1 - alpha) m for a factor m.
describe("as ncvreg, on orthonormal columns:", function()
  local rows, p = 60, 12
  local one = {}
  function one.mcp(z, l1, l2, gamma)
    local size, sign = math.abs(z), z < 0 and -1 or 1
    if size <= l1 then return 0 end
    if size <= gamma * l1 * (1 + l2) then return sign * (size - l1) / (1 + l2 - 1 / gamma) end
    return z / (1 + l2)
  end
  function one.scad(z, l1, l2, gamma)
    local size, sign = math.abs(z), z < 0 and -1 or 1
    if size <= l1 then return 0 end
    if size <= l1 * (1 + l2) + l1 then return sign * (size - l1) / (1 + l2) end
    if size > gamma * l1 * (1 + l2) then return z / (1 + l2) end
    return sign * (size - gamma * l1 / (gamma - 1)) / (1 - 1 / (gamma - 1) + l2)
  end

  lariat.seed(11)
  local raw = lariat.randn(rows, p, f64)
  local q = lariat.linalg.qr(raw - raw:mean(1, { keepdim = true })) * rows ^ 0.5
  local spread = lariat.rand(p, f64) * 5 + 0.5
  local z = lariat.linspace(-3, 3, p):double()
  local y = q:mv(z) + 7
  local factor = lariat.rand(p, f64) + 0.5

  local cases = {
    mcp = { nil, 3 }, scad = { P.scad(), 3.7 }, ["mcp of gamma 5"] = { P.mcp { gamma = 5 }, 5 },
  }
  for name, case in pairs(cases) do
    it(name, function()
      local formula = one[name:match "%a+"]
      for _, alpha in ipairs { 1, 0.7 } do
        local ours = glm.path {
          x = q * spread + 4, y = y, compat = "ncvreg", penalty = case[1], alpha = alpha,
          penalty_factor = factor, lambda = { 3, 2, 1.2, 0.6, 0.3, 0.1 }, tol = 1e-12,
        }
        for l, lambda in ipairs(ours.lambda:totable()) do
          for j = 1, p do
            local m = factor[j]
            local want = formula(z[j], lambda * alpha * m, lambda * (1 - alpha) * m, case[2])
            near.check(ours.coef[{ j, l }] * spread[j], want, { rel = 1e-6, abs = 1e-8,
              what = ("%s, alpha %g, lambda %g, column %d"):format(name, alpha, lambda, j) })
          end
        end
      end
    end)
  end
end)

describe("a path that rests", function()
  local q = lariat.linalg.qr(lariat.randn(50, 6, f64)) * 50 ^ 0.5
  local y = q:mv(lariat.tensor({ 3, 0, 0, 0, 0, 0.5 }, f64))

  it("goes on to who comes in later", function() -- between 1 and 0.5 nothing moves
    local ours = glm.path { x = q, y = y, penalty = P.mcp { gamma = 3 }, intercept = false }
    near.check(ours.coef[{ 1, -1 }], 3, { rel = 1e-6 })
    assert.is_true(ours.coef[{ 6, -1 }] > 0.4)
  end)

  it("of a loss with kinks, likewise", function()
    local ours = glm.path { x = q, y = y + lariat.randn(50, f64) * 0.1, family = "quantile" }
    assert.is_true(ours.dev_ratio[-1] > 0.9)
  end)
end)

describe("a loss in Lua", function()
  it("is the family it spells out", function()
    local function half_square(eta, y) return (eta - y):square() / 2 end
    local q = { data = d, standardize = true, lambda = { 10, 2 }, tol = 1e-10 }
    local own = glm.path(q)
    q.family = half_square
    near.check(glm.path(q).coef, own.coef, { rel = 1e-6, abs = 1e-6 })
    q.folds, q.family = 4, nil
    local by_name = glm.cv(q)
    q.family = half_square
    near.check(glm.cv(q).mean, by_name.mean, { rel = 1e-6 })
  end)
end)
