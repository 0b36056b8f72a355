-- Paths of group penalties and of several predictors: what is told of blocks that were not
-- looked at, and dual points that are none of the residuals, must leave certificates honest.
local lariat = require "lariat"
local near = require "spec.support.near"

local P, glm = lariat.penalty, lariat.glm
local N, WIDE, SIZE = 60, 300, 5
local f64 = { dtype = "float64" }

local function groups_of(p)
  local all = {}
  for g = 0, p // SIZE - 1 do
    all[g + 1] = {}
    for i = 1, SIZE do all[g + 1][i] = g * SIZE + i end
  end
  return all
end

-- Columns that lean on each other, of lengths that differ a hundredfold.
local function problem(seed)
  lariat.seed(seed)
  local x = lariat.randn(N, WIDE, f64)
  for j = 2, WIDE do x[{ {}, j }] = x[{ {}, j }] * 0.8 + x[{ {}, j - 1 }] * 0.6 end
  x = x * (lariat.rand(1, WIDE, f64) * 4.6 - 2.3):exp()
  local B = lariat.zeros(WIDE, 3, f64)
  for j = 1, WIDE, 37 do B[j] = lariat.randn(3, f64) / x[{ {}, j }]:std():item() end
  local eta = x:matmul(B)
  return x, eta + lariat.randn(N, 3, f64) * 0.5
end

local x, Y = problem(11)
local y = Y[{ {}, 1 }]
local groups = groups_of(WIDE)
local many = { [2] = 0, [5] = math.huge, [7] = 3 }
local weights = {}
for g = 1, #groups do weights[g] = many[g] or 1 end

-- The gap of a group lasso over the null objective, at the best multiple of the residuals.
local function gap_of(path, l)
  local w, lambda = path.coef[{ {}, l }], path.lambda:at(l)
  local r, yc = y - x:mv(w) - path.intercept:at(l), y - y:mean()
  r = r - r:mean()
  local slope, most, penalty = x:t():mv(r) / N, 0, 0
  for g = 0, #groups - 1 do
    local at = { { g * SIZE + 1, (g + 1) * SIZE } }
    most = math.max(most, slope[at]:norm():item())
    penalty = penalty + w[at]:norm():item()
  end
  local level = lambda * math.sqrt(SIZE)
  local rr, ry = r:dot(r):item(), r:dot(yc):item()
  local s = math.min(ry / rr, level / most)
  return (rr / 2 / N + level * penalty - (s * ry - s * s * rr / 2) / N)
    / (yc:dot(yc):item() / 2 / N)
end

local labels = y:gt(0):to("float64")
local kinds = Y:argmax(2)
local counts = (y * 0.3):exp():floor():clamp { max = 20 }
local times = { time = (y * -0.5):exp() * 10, status = Y[{ {}, 2 }]:gt(-0.5):to("float64") }
times.time = times.time:ceil()
local cases = {
  groups = { y = y, penalty = P.group_lasso { groups = groups } },
  ["groups of weights"] = {
    y = y, penalty = P.group_lasso { groups = groups, weights = weights },
  },
  ["sparse groups"] = { y = y, penalty = P.sparse_group_lasso { groups = groups } },
  ["groups and squares"] = {
    y = y, penalty = P.group_lasso { groups = groups } + 0.3 * P.l2(),
  },
  ["several responses"] = {
    y = Y, family = "mgaussian", penalty = P.group_lasso { by = "input" },
  },
  ["responses one by one"] = { y = Y, family = "mgaussian", penalty = P.l1() },
  ["groups of labels"] = {
    y = labels, family = "binomial", penalty = P.group_lasso { groups = groups },
  },
  ["features of classes"] = {
    y = kinds, family = "multinomial", penalty = P.group_lasso { by = "input" },
  },
  ["groups of times"] = {
    y = times, family = "cox", penalty = P.group_lasso { groups = groups },
  },
  ["sparse groups of times"] = {
    y = times, family = "cox", ties = "efron",
    penalty = P.sparse_group_lasso { groups = groups },
  },
  ["groups of counts"] = {
    y = counts, family = "poisson", penalty = P.group_lasso { groups = groups },
  },
}

local function fit(case, more)
  local ask = { x = x, standardize = false, n_lambda = 25, lambda_min_ratio = 0.05,
    early_end = false, solver = "block" }
  for k, v in pairs(case) do ask[k] = v end
  for k, v in pairs(more) do ask[k] = v end
  if ask.lambda then ask.n_lambda, ask.lambda_min_ratio, ask.early_end = nil, nil, nil end
  return glm.path(ask)
end

describe("blocks:", function()
  local threads = lariat.threads()
  setup(function() lariat.threads(1) end) -- problems this small only wait for another
  teardown(function() lariat.threads(threads) end)

  for name, case in pairs(cases) do
    it("no gap of " .. name .. " is less than the way to go", function()
      local best = fit(case, { tol = 1e-12, max_iter = 1000000 })
      assert.is_true(best.df:at(-1) > 15)
      for _, tol in ipairs { 1e-2, 1e-4, 1e-6 } do
        local path = fit(case, { tol = tol, lambda = best.lambda })
        for l = 1, best.lambda.numel do
          local left = (path.value:at(l) - best.value:at(l)) / (path.null_deviance / 2)
          if path.gap:at(l) == path.gap:at(l) then
            assert.is_true(left <= path.gap:at(l) + 1e-11,
              ("%g left of %g at %d"):format(left, path.gap:at(l), l))
            assert.is_true(path.gap:at(l) <= tol)
          else
            assert.is_true(path.kkt:at(l) <= tol)
          end
        end
      end
    end)

    it("the path of " .. name .. " is that of other solvers", function()
      local at = fit(case, { tol = 1e-3 }).lambda
      at = at[{ { 1, -1, 6 } }]
      local path = fit(case, { tol = 1e-11, lambda = at, max_iter = 1000000 })
      local other = fit(case, { tol = 1e-7, lambda = at, solver = "fista", max_iter = 1000000 })
      near.check(path.value, other.value, { rel = 1e-6, abs = 0 })
    end)
  end

  it("the best are so by their residuals alone", function()
    local path = fit(cases.groups, { tol = 1e-13 })
    for l = 1, path.lambda.numel do assert.is_true(gap_of(path, l) <= 1e-10) end
  end)

  it("a group that was far from coming in comes in as its slopes say", function()
    local X, t = lariat.zeros(2, 104, f64), lariat.tensor({ 0.8, 0.6 }, f64)
    X[{ 2, {} }] = 1e-3
    X[{ {}, 1 }] = lariat.tensor({ 1, 0 }, f64)
    X[{ {}, 3 }] = lariat.tensor({ -6, 8 }, f64) -- slope 0 at first
    local pairs_of = {}
    for g = 1, 52 do pairs_of[g] = { 2 * g - 1, 2 * g } end
    local path = glm.path {
      x = X, y = t, intercept = false, standardize = false, tol = 1e-12,
      penalty = P.group_lasso { groups = pairs_of }, lambda = { 0.28, 0.26, 0.25, 0.24, 0.2 },
    }
    local left = 0
    for l = 1, 5 do
      local slope = X:t():mv(t - X:mv(path.coef[{ {}, l }])) / 2
      for g = 1, 52 do
        local norm = slope[{ { 2 * g - 1, 2 * g } }]:norm():item()
        assert.is_true(norm <= path.lambda[l] * math.sqrt(2) * (1 + 1e-5))
      end
      left = left + path.coef[{ { 3, 4 }, l }]:norm():item()
    end
    assert.is_true(left > 0)
  end)

  it("of times that a column puts in order come to rest however small lambda", function()
    local n = 80
    lariat.seed(5)
    local X = lariat.randn(n, 15, f64)
    local t = { time = (X[{ {}, 1 }] * -2):exp(), status = lariat.ones(n, f64) }
    for _, ties in ipairs { "breslow", "efron" } do
      local path = glm.path {
        x = X, y = t, family = "cox", ties = ties, n_lambda = 20, lambda_min_ratio = 1e-8,
        early_end = false, penalty = P.group_lasso { groups = groups_of(15) },
      }
      for l = 1, 20 do
        assert.equal("converged", path.status[l])
        assert.is_true(path.iterations:at(l) < 1000)
      end
      assert.is_true(path.dev_ratio:at(-1) > 0.9999)
    end
  end)

  it("of single columns are coordinate descent's, of times too", function()
    local ones = {}
    for j = 1, 40 do ones[j] = { j } end
    local given = {
      x = x[{ {}, { 1, 40 } }], y = times, family = "cox", standardize = true, tol = 1e-13,
      n_lambda = 12, lambda_min_ratio = 1e-3, early_end = false,
    }
    local cd = glm.path(given)
    given.penalty, given.lambda = P.group_lasso { groups = ones }, cd.lambda
    given.n_lambda, given.lambda_min_ratio, given.early_end = nil, nil, nil
    local block = glm.path(given)
    assert.equal("block", block.solver)
    near.check(block.coef, cd.coef, { rel = 1e-4, abs = 1e-5 * cd.coef:abs():max():item() })
  end)

  it("give the same bits on any number of threads", function()
    local bits = {}
    for count = 1, 2 do
      lariat.threads(count)
      local one, several = fit(cases.groups, {}), fit(cases["several responses"], {})
      bits[count] = { one.coef:totable(), several.coef:totable() }
    end
    lariat.threads(1)
    assert.same(bits[1], bits[2])
  end)
end)
