-- Coordinate descent and the lasso's broken line: certificates worked out here from scratch,
-- the same fit by other ways, and inputs at the edge.
local lariat = require "lariat"
local near = require "spec.support.near"

local P = lariat.penalty

-- A problem with a few strong columns, some alike, and one that is constant.
local function problem(n, p, seed)
  lariat.seed(seed or 7)
  local x = lariat.randn(n, p, { dtype = "float64" })
  for j = 2, p, 3 do x[{ {}, j }] = x[{ {}, j }] * 0.3 + x[{ {}, j - 1 }] end
  if p > 5 then x[{ {}, 5 }] = lariat.full({ n }, 2.5, { dtype = "float64" }) end
  local w = lariat.zeros(p, { dtype = "float64" })
  for j = 1, math.min(p, 12), 2 do w[j] = (-1) ^ j * j / 3 end
  local f = x:mv(w)
  return x, f + lariat.randn(n, { dtype = "float64" }) * 0.5, f
end

local function sparse(x)
  local n, p = x.shape[1], x.shape[2]
  local start, index, value = { 0 }, {}, {}
  for j = 1, p do
    for i = 1, n do
      local v = x:at(i, j)
      if v ~= 0 then index[#index + 1], value[#value + 1] = i - 1, v end
    end
    start[j + 1] = #index
  end
  return lariat.sparse.csc {
    shape = { n, p }, indptr = start, indices = index, data = value, base = 0,
    dtype = "float64",
  }
end

-- So few entries that steps go along columns, not along rows of a Gram matrix.
local function thin(x) return x * (x:abs():gt(1.5)):to("float64") end

-- The gap of |r|^2 / (2n) + l |w|_1, over the null objective, at the best multiple of the
-- residual: all from x, y, w and the intercept.
local function lasso_gap(x, y, w, b0, l)
  local n = y.numel
  local r = y - x:mv(w) - b0
  r = r - r:mean()
  local yc = y - y:mean()
  local most = (x:t():mv(r) / n):abs():max():item()
  local rr, ry = r:dot(r):item(), r:dot(yc):item()
  local s = math.min(ry / rr, l / most)
  local primal = rr / (2 * n) + l * w:abs():sum():item()
  local dual = (s * ry - s * s * rr / 2) / n
  return (primal - dual) / (yc:dot(yc):item() / (2 * n))
end

local function worst_gap(path, x, y)
  local worst = 0
  for l = 1, path.lambda.numel do
    local gap = lasso_gap(x, y, path.coef[{ {}, l }], path.intercept:at(l), path.lambda:at(l))
    worst = math.max(worst, gap)
  end
  return worst
end

local function same(a, b, rel, what)
  near.check(a.coef, b.coef, { rel = rel, abs = rel, what = what })
  near.check(a.intercept, b.intercept, { rel = rel, abs = rel, what = what })
end

describe("descent:", function()
  for _, shape in ipairs { { 40, 90 }, { 200, 20 }, { 60, 60 } } do
    local name = ("%d x %d"):format(shape[1], shape[2])

    it("a lasso path is certified, " .. name, function()
      local x, y = problem(shape[1], shape[2])
      local path = lariat.glm.path { x = x, y = y, lambda_min_ratio = 1e-3, early_end = false }
      assert.equal(100, path.lambda.numel)
      assert.equal(0, path.df:at(1))
      assert.is_true(path.df:at(2) > 0)
      assert.is_true(worst_gap(path, x, y) <= 1e-6)
      assert.is_true(path.gap:max():item() <= 1e-6)
    end)

    it("compressed columns give what dense ones give, " .. name, function()
      local x, y = problem(shape[1], shape[2])
      x = thin(x)
      for _, standardize in ipairs { false, true } do
        local ask = { x = x, y = y, tol = 1e-12, lambda_min_ratio = 1e-2, n_lambda = 20,
          standardize = standardize }
        local dense = lariat.glm.path(ask)
        ask.x, ask.lambda = sparse(x), dense.lambda
        ask.n_lambda, ask.lambda_min_ratio = nil, nil
        same(lariat.glm.path(ask), dense, 1e-8, "sparse")
      end
    end)

    it("float32 gives it to 1e-4, " .. name, function()
      local x, y = problem(shape[1], shape[2])
      local double = lariat.glm.path { x = x, y = y, lambda_min_ratio = 0.05, n_lambda = 10 }
      local float = lariat.glm.path { x = x:float(), y = y, lambda = double.lambda }
      same(float, double, 1e-4, "float32")
    end)
  end

  it("columns of a sparse matrix may come in any order", function()
    local n, p = 60, 40
    local x, y = problem(n, p)
    x = thin(x)
    for j = 1, p do x[{ {}, j }] = x[{ {}, j }] * (1 + j % 5 * 2) end
    local order = {}
    for k = 1, p do order[k] = (k * 7) % p + 1 end
    local turned = lariat.zeros(n, p, { dtype = "float64" })
    for k = 1, p do turned[{ {}, k }] = x[{ {}, order[k] }] end
    local ask = { x = sparse(x), y = y, standardize = false, tol = 1e-9, n_lambda = 20 }
    local as_is = lariat.glm.path(ask)
    ask.x = sparse(turned)
    local other = lariat.glm.path(ask)
    assert.is_true(as_is.df:max():item() > p / 2)
    for l = 1, as_is.df.numel do
      local expected, b = {}, as_is.coef[{ {}, l }]:totable()
      for k = 1, p do expected[k] = b[order[k]] end
      near.check(other.coef[{ {}, l }], expected, { abs = 1e-4 })
    end
  end)

  it("the broken line and rounds alone end at one point", function()
    local x, y = problem(50, 80)
    local line = lariat.glm.path { x = x, y = y, tol = 1e-11, n_lambda = 15 }
    -- bounds that never bind keep the path from being followed knot by knot
    local rounds = lariat.glm.path { x = x, y = y, tol = 1e-11, lambda = line.lambda,
      lower = -1e6, upper = 1e6 }
    same(rounds, line, 1e-6, "rounds")
  end)

  it("the elastic net is a lasso with a row for each coefficient", function()
    local n, p, share = 40, 60, 0.6
    local x, y = problem(n, p)
    local path = lariat.glm.path { x = x, y = y, intercept = false, standardize = false,
      penalty = P.elastic_net { l1_ratio = share }, tol = 1e-12, n_lambda = 30 }
    assert.is_true(path.df:max():item() > 20)
    for l = 1, path.lambda.numel, 7 do
      local lambda = path.lambda:at(l)
      local more = lariat.eye(p, { dtype = "float64" }) * math.sqrt(n * lambda * (1 - share))
      local alone = lariat.glm.fit {
        x = lariat.cat({ x, more }, 1), intercept = false, standardize = false, tol = 1e-12,
        y = lariat.cat({ y, lariat.zeros(p, { dtype = "float64" }) }, 1),
        lambda = lambda * share * n / (n + p),
      }
      near.check(path.coef[{ {}, l }], alone.coef, { rel = 1e-6, abs = 1e-6 })
    end
  end)

  it("a step by rows ends neither before its time nor never", function()
    local x, y = problem(70, 300, 11)
    x = sparse(thin(x))
    local of = P.l1 { weights = lariat.rand(300, { dtype = "float64" }) + 0.5 }
    for k = 10, 20 do
      local path = lariat.glm.path {
        x = x, y = y, penalty = of, lambda = { 0.3, 0.1, 0.01 }, tol = 10 ^ (-k / 2),
      }
      assert.same({ "converged", "converged", "converged" }, path.status, "tol 1e-" .. k / 2)
    end
  end)

  it("compressed columns far off their centre come to rest without an intercept", function()
    lariat.seed(1)
    local x = lariat.randn(60, 40, { dtype = "float64" }) + 100
    local y = x:narrow(2, 1, 5):sum(2):reshape(60) + lariat.randn(60, { dtype = "float64" })
    local path = lariat.glm.path {
      x = lariat.sparse.csc(x), y = y, intercept = false, standardize = false,
      early_end = false,
    }
    assert.is_true(path.gap:max():item() <= 1e-6)
  end)

  -- Few lambdas far apart: a strength takes many looks, and columns go out between them.
  for _, family in ipairs { "gaussian", "binomial", "huber" } do
    it("columns that go out on the way would stay at 0, " .. family, function()
      local x, y = problem(70, 300, 11)
      x = thin(x)
      if family == "binomial" then y = y:gt(0):to("float64") end
      local ask = { x = x, y = y, family = family, tol = 1e-9, lambda = { 0.3, 0.15, 0.03 },
        penalty = P.l1 { weights = lariat.rand(300, { dtype = "float64" }) + 0.5 } }
      for _, at in ipairs { x, sparse(x) } do
        ask.x, ask.solver = at, "cd"
        local path = lariat.glm.path(ask)
        ask.x, ask.solver = x, "fista"
        local whole = lariat.glm.path(ask)
        assert.is_true(whole.df:max():item() > 20)
        near.check(path.value, whole.value, { rel = 1e-8, abs = 0 })
        for l = 1, 3 do
          for j = 1, 300 do
            local b = whole.coef:at(j, l)
            assert(math.abs(b) < 1e-3 or path.coef:at(j, l) * b > 0, j)
          end
        end
      end
    end)
  end

  -- A step that is not Newton's is found out by the rounds that it takes.
  it("members come and go, and steps stay Newton's", function()
    local x, y = problem(150, 250, 5)
    y = y:gt(0):to("float64")
    local path = lariat.glm.path { x = x, y = y, family = "binomial", lambda_min_ratio = 1e-3 }
    assert.is_true(path.df:max():item() > 50)
    assert.is_true(path.iterations:sum():item() < 2000)
    assert.is_true(path.gap:max():item() <= 1e-6)
  end)

  -- Far down the columns that are in are as good as dependent: rounds would go on and on.
  for _, family in ipairs { "cox", "poisson" } do
    it("paths go far down in few rounds, " .. family, function()
      lariat.seed(7)
      local x = lariat.randn(80, 120, { dtype = "float64" })
      local y = x[{ {}, { 1, 12 } }]:sum(2)
      local ask = { x = x, family = family, lambda_min_ratio = 1e-4, n_lambda = 40,
        early_end = false }
      if family == "cox" then
        ask.y, ask.status = y:exp(), lariat.ones(80)
      else
        ask.y = (y * 0.3):exp():round()
      end
      local path = lariat.glm.path(ask)
      assert.is_true(path.gap:max():item() <= 1e-6)
      assert.is_true(path.iterations:sum():item() < 5000)
    end)
  end

  it("weights of columns: free, excluded, dearer", function()
    local x, y = problem(60, 8)
    local weights = lariat.tensor({ 0, math.huge, 1, 2, 1, 1, 0.5, 1 }, { dtype = "float64" })
    local l = 0.05
    local fit = lariat.glm.fit { x = x, y = y, penalty = l * P.l1 { weights = weights },
      tol = 1e-12 }
    assert.equal(0, fit.coef:at(2))
    local r = y - x:mv(fit.coef) - fit.intercept
    local slope = x:t():mv(r) / 60
    for _, j in ipairs { 1, 3, 4, 6, 7, 8 } do
      local b, limit = fit.coef:at(j), l * weights:at(j)
      if b ~= 0 then
        near.check(slope:at(j), limit * (b > 0 and 1 or -1), { rel = 1e-6, abs = 1e-8 })
      else
        assert.is_true(math.abs(slope:at(j)) <= limit * (1 + 1e-8))
      end
    end
    near.check(r:sum(), 0, { rel = 0, abs = 1e-8 })
  end)

  it("bounds hold, and are left only where the slope says so", function()
    local x, y = problem(80, 12)
    local fit = lariat.glm.fit { x = x, y = y, penalty = P.l1(0.02), lower = -0.2, upper = 0.4,
      standardize = true, tol = 1e-10 }
    local slope = x:t():mv(y - x:mv(fit.coef) - fit.intercept) / 80
    local low, high = 0, 0
    for j = 1, 12 do
      local b = fit.coef:at(j)
      assert.is_true(b >= -0.2 - 1e-12 and b <= 0.4 + 1e-12)
      if b <= -0.2 + 1e-12 then
        low = low + 1
        assert.is_true(slope:at(j) < 0)
      elseif b >= 0.4 - 1e-12 then
        high = high + 1
        assert.is_true(slope:at(j) > 0)
      end
    end
    assert.is_true(low > 0 and high > 0)
  end)

  it("rows without weight do not act", function()
    local x, y = problem(60, 25)
    local w = lariat.ones(60, { dtype = "float64" })
    w[{ { 41, 60 } }] = lariat.zeros(20, { dtype = "float64" })
    for _, family in ipairs { "gaussian", "poisson" } do
      local target = family == "poisson" and y:abs():floor() or y
      local part = lariat.glm.path { x = x[{ { 1, 40 } }], y = target[{ { 1, 40 } }],
        family = family, standardize = true, tol = 1e-11, n_lambda = 8, lambda_min_ratio = 0.1 }
      local all = lariat.glm.path { x = x, y = target, weights = w, family = family,
        standardize = true, tol = 1e-11, lambda = part.lambda }
      same(all, part, 1e-6, family)
    end
  end)

  it("binomial paths are certified", function()
    local x, _, f = problem(70, 100)
    local y = f:gt(0):to("float64")
    local path = lariat.glm.path { x = x, y = y, family = "binomial", lambda_min_ratio = 0.02,
      early_end = false }
    for l = 1, path.lambda.numel, 9 do
      local w, lambda = path.coef[{ {}, l }], path.lambda:at(l)
      local q = (x:mv(w) + path.intercept:at(l)):sigmoid()
      local u = y - q
      near.check(u:sum(), 0, { rel = 0, abs = 1e-6 })
      local s = math.min(1, lambda / ((x:t():mv(u) / 70):abs():max():item()))
      local at = y - u * s -- a probability
      local entropy = (at * at:clamp(1e-300, 1):log() +
        (1 - at) * (1 - at):clamp(1e-300, 1):log()):mean():item()
      local loss = -(y * q:log() + (1 - y) * (1 - q):log()):mean():item()
      assert.is_true(loss + lambda * w:abs():sum():item() + entropy <= 1e-6)
    end
  end)

  for _, entry in ipairs {
    { "mcp", P.mcp { gamma = 3 } }, { "scad", P.scad { a = 3.7 } }, { "l0", P.l0() },
    { "lq", P.lq { q = 0.5 } }, { "log_sum", P.log_sum { eps = 0.5 } },
    { "capped_l1", P.capped_l1() },
  } do
    local name, penalty = entry[1], entry[2]
    it(name .. " ends where no coefficient alone would move", function()
      local x, y = problem(60, 40)
      local path = lariat.glm.path { x = x, y = y, penalty = penalty, standardize = true,
        tol = 1e-8, n_lambda = 12, lambda_min_ratio = 0.1, early_end = false }
      assert.equal(0, path.df:at(1))
      assert.is_true(path.df:at(12) > 0)
      assert.is_true(path.kkt:max():item() <= 1e-8)
      local mean, sd = x:mean(1), x:std(1, { unbiased = false })
      local z = (x - mean) / sd:clamp(1e-12, math.huge)
      for l = 2, 12 do -- at the first, 0 and a jump are as good as each other
        local b = path.coef[{ {}, l }] * sd
        local r = y - x:mv(path.coef[{ {}, l }]) - path.intercept:at(l)
        local v = b + z:t():mv(r) / 60
        local to = (path.lambda:at(l) * penalty):prox(v, 1)
        for j = 1, 40 do
          if j ~= 5 then near.check(to:at(j), b:at(j), { rel = 1e-5, abs = 1e-5 }) end
        end
      end
    end)
  end

  it("an offset is taken off the response", function()
    local x, y, f = problem(50, 30)
    local a = lariat.glm.path { x = x, y = y, offset = f, tol = 1e-10, n_lambda = 6,
      lambda_min_ratio = 0.2 }
    local b = lariat.glm.path { x = x, y = y - f, tol = 1e-10, lambda = a.lambda }
    same(a, b, 1e-7, "offset")
  end)

  it("one row, no columns, one value, twins", function()
    local one = lariat.glm.path { x = lariat.ones(1, 3, { dtype = "float64" }),
      y = lariat.tensor({ 2 }, { dtype = "float64" }), n_lambda = 3 }
    near.check(one.intercept:at(1), 2, { rel = 1e-12, abs = 0 })
    near.check(one.coef:abs():sum(), 0, { rel = 0, abs = 0 })
    local x, y = problem(30, 4)
    local flat = lariat.glm.path { x = x, y = y * 0 + 3, n_lambda = 3 }
    near.check(flat.coef:abs():sum(), 0, { rel = 0, abs = 0 })
    local twin = lariat.cat({ x, x }, 2)
    local path = lariat.glm.path { x = twin, y = y, lambda_min_ratio = 1e-3, early_end = false }
    assert.is_true(worst_gap(path, twin, y) <= 1e-6)
  end)

  it("says where a matrix is not finite", function()
    local x, y = problem(20, 4)
    x[3][2] = 0 / 0
    assert.has_error(function() lariat.glm.path { x = x, y = y } end)
    local ok, why = pcall(lariat.glm.path, { x = x, y = y })
    assert.is_false(ok)
    assert.is_truthy(tostring(why):find("NaN in row 3 of column 2", 1, true), why)
  end)

  it("rests at 0 where what is not convex has another coefficient as good", function()
    local penalties = { P.mcp(), P.scad(), P.capped_l1(), P.log_sum(), P.l0() }
    for seed = 1, 12 do
      local x, y = problem(20, 3, seed)
      for _, penalty in ipairs(penalties) do
        local path = lariat.glm.path { x = x, y = y, penalty = penalty, n_lambda = 1 }
        assert.equal("converged", path.status[1])
        assert.equal(0, path.df:at(1))
        assert.is_true(path.iterations:at(1) < 50)
      end
    end
  end)

  it("separable classes without a penalty have no optimum", function()
    local x = lariat.tensor({ { -2 }, { -1 }, { 1 }, { 2 } }, { dtype = "float64" })
    local y = lariat.tensor({ 0, 0, 1, 1 }, { dtype = "float64" })
    local path = lariat.glm.path { x = x, y = y, family = "binomial", lambda = { 0 } }
    assert.equal("unbounded", path.status[1])
  end)
end)
