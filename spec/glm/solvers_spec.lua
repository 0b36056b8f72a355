-- What single solvers promise: knots, closed forms, exact quantiles, groups, and where paths
-- begin.
local lariat = require "lariat"
local core = require "lariat.core"
local near = require "spec.support.near"

local P, C, glm = lariat.penalty, lariat.constraint, lariat.glm
local diabetes = lariat.data.diabetes { dtype = "float64" }
local x, y = diabetes.x, diabetes.y
local n, p = #diabetes, 10

local function f64(list) return core.tensor(list, { dtype = "float64" }) end
local function close(a, b, abs, what) near.check(a, b, { rel = 0, abs = abs, what = what }) end
local function biggest(t) return t:abs():max():item() end

describe("lars", function()
  local path = glm.path { x = x, y = y, solver = "lars", tol = 1e-9 }

  it("is a chain of straight pieces", function()
    local middles = (path.lambda[{ { 1, -2 } }] + path.lambda[{ { 2, -1 } }]) / 2
    local other = glm.path { x = x, y = y, lambda = middles, solver = "cd", tol = 1e-14 }
    local ends = (path.coef[{ {}, { 1, -2 } }] + path.coef[{ {}, { 2, -1 } }]) / 2
    close(other.coef, ends, 1e-5 * biggest(ends), "coefficients between knots")
  end)

  it("changes who is in at every knot", function()
    local inside = glm.path {
      x = x, y = y, solver = "lars", lambda = path.lambda * (1 - 1e-6), tol = 1e-9,
    }.coef:ne(0):long()
    for l = 2, inside.shape[2] do
      local changes = (inside[{ {}, l }] - inside[{ {}, l - 1 }]):abs():sum():item()
      assert.equal(1, changes, "at knot " .. l)
    end
  end)

  it("starts with the greatest correlation", function()
    local r = y - y:mean()
    local most = biggest(x:t():mv(r) / n - x:mean(1) * r:mean())
    near.check(path.lambda[1], most, { rel = 1e-12, abs = 0 })
  end)
end)

describe("ridge", function()
  local xc, yc = x - x:mean(1, { keepdim = true }), y - y:mean()

  it("solves the normal equations", function()
    for _, lambda in ipairs { 1, 0.01, 1e-4 } do
      local fit = glm.fit { x = x, y = y, penalty = P.l2(lambda), solver = "ridge" }
      local gram = xc:t():matmul(xc) / n + lambda * lariat.eye(p, { dtype = "float64" })
      local b = lariat.linalg.solve(gram, (xc:t():mv(yc) / n):reshape(p, 1)):reshape(p)
      close(fit.coef, b, 1e-9 * biggest(b), "coefficients")
    end
  end)

  it("solves them for rows and columns of any number", function()
    for _, shape in ipairs { { 7, 3 }, { 64, 5 }, { 515, 6 }, { 600, 11 }, { 1029, 43 } } do
      local m, k = shape[1], shape[2]
      local X = lariat.randn(m, k, { dtype = "float64" }) + 1
      local w = lariat.rand(m, { dtype = "float64" })
      local Y, root = X:sum(2) + lariat.randn(m, { dtype = "float64" }), w:sqrt():reshape(m, 1)
      local fit = glm.fit {
        x = X, y = Y, weights = w, intercept = false, penalty = P.l2(0.1), solver = "ridge",
      }
      local A = (X * root):t():matmul(X * root) / w:sum()
      A = A + 0.1 * lariat.eye(k, { dtype = "float64" })
      local b = (X * w:reshape(m, 1)):t():mv(Y) / w:sum()
      local want = lariat.linalg.solve(A, b:reshape(k, 1)):reshape(k)
      close(fit.coef, want, 1e-9 * biggest(want), ("%d x %d"):format(m, k))
    end
  end)

  it("is the same from rows or columns, and with several responses", function()
    local few = x[{ { 1, 8 } }]
    local two = lariat.stack({ y, y:square() / 100 }, 2)
    local cases = { { few, y[{ { 1, 8 } }] }, { few, two[{ { 1, 8 } }], "mgaussian" } }
    for _, case in ipairs(cases) do
      local given = {
        x = case[1], y = case[2], family = case[3], penalty = P.l2(), lambda = { 0.5 },
        solver = "ridge",
      }
      local fit = glm.path(given)
      given.solver, given.tol = case[3] and "block" or "cd", 1e-14
      local other = glm.path(given)
      close(fit.coef, other.coef, 1e-6 * biggest(fit.coef), "coefficients")
    end
  end)
end)

describe("weights of columns", function()
  local few, two = x[{ { 1, 8 } }], lariat.stack({ y, y:square() / 100 }, 2)
  local weights = { 0, 1, 2.5, math.huge, 0.3, 0, 1, 4, 1, 0.01 }
  local cases = {
    rows = { few, y[{ { 1, 8 } }], "gaussian", weights },
    columns = { x, y, "gaussian", weights },
    ["several responses"] = { x, two, "mgaussian", weights },
    ["no free columns"] = { x, y, "gaussian", { 1, 1, 2, 3, 4, 5, 6, 7, 8, math.huge } },
    ["no column that is held back"] = { x, y, "gaussian", { 0, 0, 0, 0, 0, 0, 0, 0, 0, 5 } },
  }
  cases.rows[4] = { 0, 1, 2.5, math.huge, 0.3, 0.5, 1, 4, 1, 0.01 }

  local function path(case, more)
    local ask = { x = case[1], y = case[2], family = case[3], compat = "ncvreg" }
    ask.penalty_factor = f64(case[4])
    for k, v in pairs(more) do ask[k] = v end
    return glm.path(ask)
  end

  for name, case in pairs(cases) do
    local other = case[3] == "gaussian" and "cd" or "block"

    it("act in ridge: " .. name, function()
      local made = path(case, { solver = "ridge", penalty = P.l2(), n_lambda = 5 })
      local want = path(case, {
        solver = other, penalty = P.l2(), lambda = made.lambda, tol = 1e-14,
        max_iter = 1000000,
      })
      assert.is_true(made.gap:max():item() <= 1e-9)
      close(made.coef, want.coef, 1e-6 * biggest(want.coef), "coefficients")
      close(made.intercept, want.intercept, 1e-5 * biggest(want.intercept), "intercepts")
    end)

    it("act in fista: " .. name, function()
      local given = { solver = other, penalty = P.l1(), n_lambda = 4, tol = 1e-13 }
      given.lambda_min_ratio, given.early_end, given.max_iter = 0.05, false, 1000000
      local want = path(case, given)
      given.solver, given.tol, given.n_lambda, given.lambda = "fista", 1e-8, 1, nil
      local most = path(case, given).lambda_max
      near.check(most, want.lambda_max, { rel = 1e-4, abs = 0 })
      given.n_lambda, given.lambda_min_ratio, given.early_end = nil, nil, nil
      given.lambda = want.lambda
      local made = path(case, given)
      for l = 1, 4 do assert.equal("converged", made.status[l]) end
      close(made.coef, want.coef, 1e-3 * biggest(want.coef), "coefficients")
      near.check(made.value, want.value, { rel = 1e-7, abs = 0 })
    end)
  end

  it("at 0 leave fista without a gap that it could not vouch for", function()
    local made = path(cases.columns, { solver = "fista", penalty = P.l1(), n_lambda = 3 })
    assert.is_true(made.gap:isnan():all():item())
    assert.is_true(made.kkt:max():item() <= 1e-6)
  end)

  it("are those of the penalty, where it has some", function()
    local w = f64 { 1, 1, 2, 3, 4, 0, 6, 7, 0, math.huge }
    local given = {
      x = x, y = y, penalty = P.l2 { weights = w } + P.l2(0.001), lambda = { 2, 0.1 },
    }
    given.solver, given.tol = "ridge", 1e-12
    local made = glm.path(given)
    given.solver = "cd"
    close(made.coef, glm.path(given).coef, 1e-6 * biggest(made.coef), "coefficients")
    assert.equal(0, biggest(made.coef[{ 10, {} }]))
  end)
end)

describe("ridge", function()
  for _, shape in ipairs { { 700, 520 }, { 350, 800 }, { 60, 300 }, { 90, 40 } } do
    it(("of %d x %d has the same bits on any number of threads"):format(table.unpack(shape)),
      function()
        local X = lariat.randn(shape[1], shape[2], { dtype = "float64" })
        local Y, w = X:sum(2) + X[{ {}, 1 }]:square(), lariat.ones(shape[2])
        w[{ { 3, 8 } }] = 0
        local before, bits = lariat.threads(), {}
        for threads = 1, 2 do
          lariat.threads(threads)
          bits[threads] = glm.path {
            x = X, y = Y, solver = "ridge", penalty = P.l2 { weights = w }, n_lambda = 3,
          }.coef:totable()
        end
        lariat.threads(before)
        assert.same(bits[1], bits[2])
      end)
  end
end)

describe("the Gram matrix", function()
  it("of a tall matrix gives the same bits on any number of threads", function()
    local X = lariat.randn(40000, 7, { dtype = "float64" })
    local Y, before, bits = X:sum(2) + X[{ {}, 1 }]:square(), lariat.threads(), {}
    for threads = 1, 2 do
      lariat.threads(threads)
      bits[threads] = glm.path { x = X, y = Y, lambda = { 0.1 } }.coef
    end
    lariat.threads(before)
    assert.same(bits[1]:totable(), bits[2]:totable())
  end)
end)

describe("a column that was far from coming in", function()
  it("comes in as soon as its slope says so, however steep", function()
    local X, Y = lariat.zeros(2, 52, { dtype = "float64" }), f64 { 0.8, 0.6 }
    X[{ 2, {} }] = 1e-3
    X[{ {}, 1 }], X[{ {}, 2 }] = f64 { 1, 0 }, f64 { -6, 8 } -- the second has slope 0 at first
    local path = glm.path {
      x = X, y = Y, intercept = false, standardize = false,
      lambda = { 0.4, 0.38, 0.36, 0.34, 0.3 },
    }
    for l = 1, 5 do
      local slope = X:t():mv(Y - X:mv(path.coef[{ {}, l }])) / 2
      assert(biggest(slope) <= path.lambda[l] * (1 + 1e-5), "at " .. l)
    end
    assert.same({ 0, 1, 1, 2, 2 }, path.df:totable())
  end)
end)

describe("exact quantiles", function()
  for _, tau in ipairs { 0.1, 0.5, 0.8 } do
    it(("at %g leave that share of rows below"):format(tau), function()
      local path = glm.path {
        x = x, y = y, family = "quantile", tau = tau, n_lambda = 6, lambda_min_ratio = 1e-3,
      }
      for l = 1, 6 do
        assert(path.gap[l] <= 1e-6)
        local r = y - x:mv(path.coef[{ {}, l }]) - path.intercept[l]
        local slack = 1e-4 * biggest(y)
        local below, above = r:lt(-slack):double():mean(), r:gt(slack):double():mean()
        assert(below:item() <= tau + 1e-9, "below at " .. l)
        assert(above:item() <= 1 - tau + 1e-9, "above at " .. l)
      end
    end)
  end

  it("are what narrow smoothing comes to", function()
    local given = { x = x, y = y, family = "quantile", tau = 0.3, lambda = { 0.05 } }
    local exact = glm.path(given)
    given.width, given.tol = 0.01, 1e-10
    local smooth = glm.path(given)
    local below = exact.value[1] - smooth.value[1]
    assert(below >= -1e-6 * exact.value[1] and below <= 0.01 / 2 * 0.49 + 1e-6 * exact.value[1])
  end)
end)

describe("groups", function()
  it("of one coefficient are the lasso", function()
    local ones = {}
    for j = 1, p do ones[j] = { j } end
    local given = { x = x, y = y, lambda = { 1, 0.3, 0.05 }, tol = 1e-13 }
    local lasso = glm.path(given)
    given.penalty = P.group_lasso { groups = ones }
    close(glm.path(given).coef, lasso.coef, 1e-5 * biggest(lasso.coef), "coefficients")
  end)

  it("of orthonormal columns have a closed form", function()
    local q = lariat.linalg.qr(f64(lariat.randn(50, 6):totable()))
    q = q * math.sqrt(50)
    local t = f64 { 3, -2, 0.5, 0.2, 1, -1 }
    local fit = glm.fit {
      x = q, y = q:mv(t), intercept = false, tol = 1e-14,
      penalty = 0.6 * P.group_lasso { groups = { { 1, 2 }, { 3, 4 }, { 5, 6 } } },
    }
    local want = {}
    for g = 0, 2 do
      local pair = t[{ { 2 * g + 1, 2 * g + 2 } }]
      local share = math.max(0, 1 - 0.6 * math.sqrt(2) / pair:norm():item())
      for j = 1, 2 do want[2 * g + j] = pair[j] * share end
    end
    close(fit.coef, f64(want), 1e-7, "coefficients")
  end)

  it("of weight 0 are free, infinite ones excluded", function()
    local groups = { { 1, 2, 3 }, { 4, 5, 6 }, { 7, 8, 9, 10 } }
    local path = glm.path {
      x = x, y = y, n_lambda = 2, lambda_min_ratio = 0.5, early_end = false,
      penalty = P.group_lasso { groups = groups, weights = { 0, math.huge, 1 } },
    }
    local first = path.coef[{ {}, 1 }]
    assert(first[{ { 1, 3 } }]:ne(0):all():item() and biggest(first[{ { 4, 10 } }]) == 0)
    local second = path.coef[{ {}, 2 }]
    assert(biggest(second[{ { 4, 6 } }]) == 0 and second[{ { 7, 10 } }]:ne(0):all():item())
  end)

  it("by input hold a feature in or out of all predictors", function()
    local k = 3
    local labels = y:gt(100):long() + y:gt(180):long() + 1
    local path = glm.path {
      x = x, y = labels, family = "multinomial", n_lambda = 8, standardize = true,
      penalty = P.group_lasso { by = "input" },
    }
    local used = path.coef:ne(0):long():sum(2)
    assert(((used:eq(0):long() + used:eq(k):long())):eq(1):all():item())
    assert(used:eq(0):any():item() and used:eq(k):any():item())
  end)
end)

describe("without strength every solver comes to least squares:", function()
  local free = glm.path { x = x, y = y, penalty = P.l2(), lambda = { 0 }, solver = "ridge" }
  for _, solver in ipairs { "cd", "block", "fista", "lars" } do
    it(solver, function()
      local path = glm.path { x = x, y = y, lambda = { 0 }, solver = solver, tol = 1e-8 }
      assert.equal("converged", path.status[1])
      close(path.coef, free.coef, 1e-4 * biggest(free.coef), "coefficients")
    end)
  end
end)

describe("a path starts where the first coefficient is about to leave 0:", function()
  local groups = { { 1, 2, 3 }, { 4, 5 }, { 6, 7, 8, 9, 10 } }
  local cases = {
    l1 = P.l1(), mcp = P.mcp { gamma = 3 }, group_lasso = P.group_lasso { groups = groups },
    group_mcp = P.group_mcp { groups = groups }, group_linf = P.group_linf { groups = groups },
    sparse_group = P.sparse_group_lasso { groups = groups }, slope = P.slope(),
    sum = P.group_lasso { groups = groups } + 0.5 * P.l1(),
    slope_and_l2 = P.slope() + 0.1 * P.l2(),
  }
  for name, penalty in pairs(cases) do
    it(name, function()
      local given = { x = x, y = y, penalty = penalty, standardize = true, n_lambda = 2 }
      local most = glm.path(given).lambda_max
      given.lambda, given.tol = { most * 1.0001, most * 0.99 }, 1e-10
      local path = glm.path(given)
      assert.equal(0, biggest(path.coef[{ {}, 1 }]))
      assert(biggest(path.coef[{ {}, 2 }]) > 0)
    end)
  end
end)

describe("what does not fit is refused in a sentence:", function()
  local cases = {
    { "solver 'cd'", { solver = "cd", penalty = P.slope() } },
    { "solver 'block' needs a penalty of separate groups; slope is coupled: use 'fista'",
      { solver = "block", penalty = P.slope() } },
    { "solver 'lars' takes l1 alone", { solver = "lars", penalty = P.l2(), lambda = { 1 } } },
    { "solver 'lars' needs squared loss",
      { solver = "lars", family = "huber", lambda = { 1 } } },
    { "solver 'ridge' takes l2 alone; there is l1", { solver = "ridge" } },
    { "solver 'interior' is for losses with kinks", { solver = "interior" } },
    { "quantile has kinks: give it a width",
      { solver = "fista", family = "quantile", penalty = P.slope() } },
    { "where the penalty is separable; slope is not: give it weights of its own",
      { solver = "fista", penalty = P.slope(), compat = "ncvreg",
        penalty_factor = f64 { 1, 1, 2, 1, 1, 1, 1, 1, 1, 1 } } },
    { "weights of columns need a penalty that has a strength; l2_ball is a constraint",
      { solver = "fista", penalty = C.l2_ball(1), compat = "ncvreg",
        penalty_factor = f64 { 1, 1, 2, 1, 1, 1, 1, 1, 1, 1 } } },
    { "bounds that differ between columns",
      { solver = "fista", penalty = P.slope(), lower = { 0, 0, 0, 0, 0, 0, 0, 0, 0, -1 } } },
    { "only 0 and infinity go with groups",
      { penalty = P.group_lasso { groups = { { 1, 2 } } }, solver = "block", lower = -1 } },
    { "hoyer has no lambda_max", { penalty = P.hoyer() } },
    { "needs a prox, which penalty orthogonal has not", { penalty = P.orthogonal() } },
  }
  for _, case in ipairs(cases) do
    it(case[1], function()
      case[2].x, case[2].y = x, y
      local ok, why = pcall(glm.path, case[2])
      assert(not ok, "it was taken")
      assert(tostring(why):find(case[1], 1, true), tostring(why))
    end)
  end
end)

describe("where lambda has nothing to hold at 0,", function()
  local sets = {
    l1_ball = C.l1_ball(1), l2_ball = C.l2_ball(1), linf_ball = C.linf_ball(0.3),
    simplex = C.simplex(1), box = C.box { lo = -0.2, hi = 0.1 }, nonnegative = C.nonnegative(),
    max_norm = C.max_norm(0.5), sum = C.nonnegative() + C.l2_ball(1),
  }
  for name, set in pairs(sets) do
    it(name .. " alone is one point, by path, fit and cv", function()
      local q = { x = x, y = y, penalty = set }
      local path = glm.path(q)
      assert.same({ "converged" }, path.status)
      local fit = glm.fit(q)
      assert.same(fit.coef:totable(), path.coef[{ {}, 1 }]:totable())
      assert.is_true((set:prox(fit.coef, 1) - fit.coef):abs():max():item() < 1e-9)
      q.folds = 3
      assert.equal(1, glm.cv(q).lambda_min)
    end)
  end

  it("a path begins where that of l2 would", function()
    local edges = P.laplacian { edges = { { 1, 2 }, { 2, 3 } } } + P.l2(0.01)
    local groups = P.exclusive_lasso { groups = { { 1, 2, 3, 4, 5 }, { 6, 7, 8, 9, 10 } } }
    local ball = C.l1_ball(1) + P.l2()
    local most = glm.path { x = x, y = y, penalty = P.l2(), n_lambda = 3 }.lambda[1]
    for _, penalty in ipairs { edges, groups, ball } do
      local path = glm.path { x = x, y = y, penalty = penalty, n_lambda = 3 }
      near.check(path.lambda[1], most, { rel = 1e-9 })
      assert.same({ "converged", "converged", "converged" }, path.status)
      assert.is_true(path.dev_ratio[1] < 0.3)
    end
  end)
end)
