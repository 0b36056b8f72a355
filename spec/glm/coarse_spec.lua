-- Coarse tolerances of squared loss, where certificates come from earlier looks at the columns:
-- no fit is farther from the best than its gap says, nor from stationary than its kkt.
local lariat = require "lariat"

local P = lariat.penalty

-- Neighbouring columns are alike.
local function problem(n, p)
  lariat.seed(11)
  local x = lariat.randn(n, p, { dtype = "float64" })
  for j = 2, p do x[{ {}, j }] = x[{ {}, j - 1 }] * 0.6 + x[{ {}, j }] * 0.8 end
  local w = lariat.zeros(p, { dtype = "float64" })
  for j = 1, p, 9 do w[j] = (-1) ^ j * (1 + j % 5) end
  local y = x:mv(w)
  return x, y + lariat.randn(n, { dtype = "float64" }) * (0.3 * y:std():item())
end

-- The greatest distance of 0 to the subdifferential, over the greatest slope of the null fit.
local function stationary(x, y, weight, path, l, a, b)
  local lambda, w = path.lambda:at(l), path.coef[{ {}, l }]
  local function slopes(r) return x:t():mv(r * weight) end
  local c = slopes(x:mv(w) + path.intercept:at(l) - y)
  local far = 0
  for j = 1, w.numel do
    local now, slope = w:at(j), c:at(j) + lambda * b * w:at(j)
    local d = now == 0 and math.max(math.abs(slope) - lambda * a(j), 0)
      or math.abs(slope + (now > 0 and 1 or -1) * lambda * a(j))
    far = math.max(far, d)
  end
  local mean = (y * weight):sum()
  return far / slopes(y - mean):abs():max():item()
end

local function check(x, y, ask, weight, a, b)
  weight = weight or lariat.full({ y.numel }, 1 / y.numel, { dtype = "float64" })
  a, b = a or function() return 1 end, b or 0
  ask.x, ask.y, ask.standardize = ask.x or x, y, false
  ask.lambda_min_ratio, ask.early_end = 1e-3, false
  local coarse = lariat.glm.path(ask)
  assert.is_true(coarse.gap:max():item() <= ask.tol)
  -- but no better than asked for
  assert.is_true(coarse.gap:max():item() > 0.25 * ask.tol)
  ask.lambda, ask.lambda_min_ratio, ask.early_end = coarse.lambda, nil, nil
  ask.tol = 1e-10
  local fine = lariat.glm.path(ask)
  local off, middle = y - (y * weight):sum(), nil
  local null = (off * off * weight):sum():item() / 2
  for l = 1, fine.lambda.numel do
    local more = (coarse.value:at(l) - fine.value:at(l)) / null
    assert.is_true(more >= -1e-9)
    assert.is_true(more <= coarse.gap:at(l) + 1e-9)
    if l % 9 == 0 then
      middle = stationary(x, y, weight, coarse, l, a, b)
      assert.is_true(middle <= coarse.kkt:at(l) * (1 + 1e-9) + 1e-12)
    end
  end
  assert.is_true(middle > 0)
end

describe("at a coarse tolerance", function()
  for _, tol in ipairs { 1e-5, 1e-3, 0.05 } do
    it(("lassos are within their gap, %g"):format(tol), function()
      local x, y = problem(60, 150)
      check(x, y, { tol = tol })
      check(x:float(), y, { tol = tol })
      local few = x * (x:abs():gt(1.5)):to("float64") -- by rows
      check(few, y, { tol = tol, x = lariat.sparse.csc(few) })
    end)

    it(("elastic nets are within their gap, %g"):format(tol), function()
      local x, y = problem(60, 150)
      check(x, y, { tol = tol, penalty = P.elastic_net { l1_ratio = 0.5 } }, nil,
        function() return 0.5 end, 0.5)
    end)
  end

  it("rows and columns may have weights", function()
    local x, y = problem(60, 150)
    local weight = lariat.rand(60, { dtype = "float64" }) + 0.1
    local of = lariat.rand(150, { dtype = "float64" }) + 0.5
    check(x, y, { tol = 2e-3, weights = weight, penalty = P.l1 { weights = of } },
      weight / weight:sum():item(), function(j) return of:at(j) end)
  end)

  it("columns too many for a Gram matrix go by rows", function()
    local x, y = problem(40, 2400)
    x = x * (x:abs():gt(1.5)):to("float64")
    local ask = { x = x, y = y, tol = 1e-3, lambda_min_ratio = 1e-2, n_lambda = 20,
      early_end = false, penalty = P.elastic_net { l1_ratio = 0.01 } }
    local dense = lariat.glm.path(ask)
    assert.is_true(dense.df:max():item() > 1500)
    assert.is_true(dense.gap:max():item() <= ask.tol)
    ask.x = lariat.sparse.csc(x) -- by rows from the start
    local sparse, null = lariat.glm.path(ask), dense.value:at(1)
    assert.is_true(sparse.gap:max():item() <= ask.tol)
    assert.is_true((dense.value - sparse.value):abs():max():item() <= ask.tol * null)
  end)

  it("no penalty at all is allowed at the end", function()
    local x, y = problem(150, 30)
    local path = lariat.glm.path { x = x, y = y, lambda = { 0.5, 0.1, 0 }, tol = 2e-3 }
    local exact = lariat.glm.path { x = x, y = y, lambda = { 0 }, tol = 1e-10 }
    local null = path.value:at(1)
    assert.is_true(math.abs(path.value:at(3) - exact.value:at(1)) <= 2e-3 * null)
  end)
end)
