-- What lariat.glm does with what it should not be given: one sentence that names the values, at
-- the caller's line; or a sound result.
local lariat = require "lariat"
local near = require "spec.support.near"

local glm, P = lariat.glm, lariat.penalty
local f64 = { dtype = "float64" }
local NAN, INF = 0 / 0, math.huge

lariat.seed(1)
local x = lariat.randn(30, 4, f64)
local y = x:sum(2) + lariat.randn(30, f64)
local label = y:gt(0):long() + 1

local function question(change)
  local q = { x = x, y = y, n_lambda = 5 }
  for key, v in pairs(change) do q[key] = v end
  return q
end

local function spoilt(i, j, v)
  local bad = x:clone()
  bad[i][j] = v
  return bad
end

-- Each: what is asked, and words that its sentence must hold.
local refused = {
  path = {
    { { x = spoilt(3, 2, NAN), names = { "a", "b", "c", "d" } }, "NaN", "row 3",
      "column 2 (b)" },
    { { x = spoilt(5, 4, INF) }, "infinity", "row 5", "column 4" },
    { { x = spoilt(3, 2, NAN)[{ { 1, 5 } }], y = y[{ { 1, 5 } }] }, "NaN", "row 3" },
    { { x = lariat.sparse.csc(spoilt(3, 2, NAN)) }, "NaN", "row 3", "column 2" },
    { { x = x * 1e200 }, "column 1 of x is too large" },
    { { x = x * 1e200, intercept = false }, "overflows" },
    { { y = (y * 1):masked_fill(y:eq(y[7]), NAN) }, "y is NaN in row 7" },
    { { x = lariat.zeros(0, 4), y = lariat.zeros(0) }, "x has no rows" },
    { { x = y }, "x is (30)", "(n, p)" },
    { { y = y[{ { 1, 20 } }] }, "y is (20)", "x has 30 rows" },
    { { y = x }, "y is (30, 4)", "mgaussian" },
    { { y = lariat.ones(30, { dtype = "int64" }), family = "binomial" }, "one class" },
    { { y = lariat.ones(30, { dtype = "int64" }), family = "multinomial" }, "one class" },
    { { family = "binomial" }, "more than two values", "'multinomial'" },
    { { family = "multinomial" }, "row 1", "1..K" },
    { { y = label - 1, family = "multinomial" }, "y is 0 in row", "1..K" },
    { { y = label * 2 - 1, family = "multinomial" }, "class 2 of 3 has no row" },
    { { y = label, classes = { "a" }, family = "multinomial" }, "1 names; y goes up to 2" },
    { { y = label * 1000000000, family = "multinomial" }, "2000000000 in 30 rows" },
    { { family = "poisson" }, "poisson", "row" },
    { { family = "poisson", y = lariat.full({ 30 }, 1e300, f64) }, "1e+300 in row 1" },
    { { family = "cox" }, "status" },
    { { family = "cox", status = y }, "status", "row 1" },
    { { family = "cox", status = lariat.zeros(30) }, "censored" },
    { { status = y }, "status is for family 'cox'" },
    { { weights = lariat.zeros(30) - 1 }, "weights: row 1 has -1" },
    { { weights = lariat.zeros(30) }, "all 0" },
    { { weights = { 1, 2 } }, "weights is (2)", "30 rows" },
    { { offset = { 1 } }, "offset is (1)", "30 rows" },
    { { lambda = { 0.1, 0.5 } }, "rises from 0.1 to 0.5 at position 2" },
    { { lambda = { 0.1, -0.5 } }, "lambda[2] = -0.5" },
    { { lambda = {} }, "empty" },
    { { penalty = P.group_lasso { groups = { { 1, 2 }, { 3, 9 } } } }, "position 9" },
    { { penalty = P.l1 { weights = { 1, 1 } } }, "weights", "(2)", "(4)" },
    { { penalty = P.l1 { weights = { 0, 0, 0, 0 } } }, "give lambda" },
    { { penalty = "l1" }, "lariat.penalty.l1()", "string" },
    { { penalty = P.l1(1):on "bias" }, "leave out :on" },
    { { penalty = P.jacobian() }, "jacobian needs a model" },
    { { penalty = P.group_lasso { groups = { { 1, 2 } } }, lower = -1, standardize = true },
      "bounds that differ between columns", "without standardize" },
    { { penalty = P.l1(function() return 1 end) }, "its lambda is a function" },
    { { penalty = P.slope(), solver = "cd" }, "solver 'cd'", "slope" },
    { { lower = 1, upper = 0 }, "lower = 1 is above upper = 0", "column 1" },
    { { lower = NAN }, "lower is NaN at column 1" },
    { { lower = { 0, INF, 0, 0 } }, "lower = inf at column 2" },
    { { family = "gausian" }, "did you mean 'gaussian'" },
    { { solver = "fistta" }, "did you mean 'fista'" },
    { { lambdas = { 1 } }, "unknown key 'lambdas'", "'lambda'" },
    { { compat = "glmnett" }, "glmnet, ncvreg, sklearn" },
    { { tau = 0.5 }, "tau belongs to family 'quantile'" },
    { { family = "quantile", tau = 2 }, "tau = 2" },
    { { names = { "a" } }, "names: 1 for 4 columns" },
    { { intercept = 1 }, "intercept must be true or false" },
    { { n_lambda = 0 }, "n_lambda = 0" },
    { { n_lambda = 2.5 }, "whole number" },
    { { tol = -1 }, "tol = -1" },
    { { data = 3 }, "data must be a data set" },
    { { family = function() return 3 end }, "one number for each of 30 rows" },
  },
  cv = {
    { { folds = 1 }, "folds = 1", "2 to 30" },
    { { folds = 31 }, "folds = 31", "2 to 30" },
    { { folds = { 1, 2 } }, "folds are of 2 rows", "30" },
    { { folds = lariat.ones(30, { dtype = "int64" }) }, "only one" },
    { { loss = "rmse" }, "did you mean 'mse'" },
    { { loss = "auc" }, "'auc' is for classes" },
    { { loss = function() return "a" end }, "must return a number" },
    { { l1_ratio = { 0.5 } }, "no term of the penalty has an l1_ratio" },
    { { l1_ratio = { 3 }, penalty = P.elastic_net() }, "l1_ratio = 3" },
    { { fold = 3 }, "unknown key 'fold'", "'folds'" },
  },
  fit = {
    { {}, "strength" },
    { { lambda = { 1, 0.5 } }, "one lambda, not 2" },
  },
}

for name, cases in pairs(refused) do
  describe("glm." .. name .. " refuses, in one sentence:", function()
    for _, case in ipairs(cases) do
      it(table.concat(case, "; ", 2), function()
        local ok, why = pcall(glm[name], question(case[1]))
        assert.is_false(ok)
        local owner = why:match "^spec/glm/input_spec.lua:%d+: ([%w_.]+)"
        assert.is_truthy(owner == "glm." .. name or owner == "kfold" or owner == "folds", why)
        assert.is_nil(why:find "\n")
        for k = 2, #case do assert.is_truthy(why:find(case[k], 1, true), why) end
      end)
    end
  end)
end

describe("results refuse", function()
  local path = glm.path(question {})
  local fit = path:at(0.1)
  local function no(words, fn, ...)
    local ok, why = pcall(fn, ...)
    assert.is_false(ok)
    assert.is_truthy(why:find(words, 1, true), why)
  end

  it("what does not fit them", function()
    no("lambda is a number", path.at, path, "a")
    no("fitted to 4 columns", path.predict, path, x[{ {}, { 1, 2 } }])
    no("fitted to 4 columns", fit.predict, fit, x[{ {}, { 1, 2 } }])
    no("link, response, class", fit.predict, fit, x, { type = "prob" })
    no("has no classes", fit.predict, fit, x, { type = "class" })
    no("aic, bic, ebic", path.best, path, "cic")
    no("gamma = 2", fit.relax, fit, 2)
  end)
end)

describe("sound results of odd questions:", function()
  local function sound(change)
    local path = glm.path(question(change))
    assert.is_true(path.coef:isfinite():all():item())
    assert.is_true(path.intercept:isfinite():all():item())
    return path
  end

  it("a constant column is left out, standardised or not", function()
    local constant = x:clone()
    constant[{ {}, 2 }] = 3
    for _, standardize in ipairs { true, false } do
      local path = sound { x = constant, standardize = standardize }
      assert.equal(0, path.coef[2]:count_nonzero():item())
      assert.is_true(path.coef[1]:count_nonzero():item() > 0)
    end
  end)

  it("one row, no column, a constant y: the intercept", function()
    local one = sound { x = x[{ { 1, 1 } }], y = y[{ { 1, 1 } }], lambda = { 0.1 } }
    assert.near(y[1], one.intercept[1], 1e-9)
    local none = sound { x = lariat.zeros(30, 0), lambda = { 0.1 } }
    assert.near(y:mean():item(), none.intercept[1], 1e-9)
    local flat = sound { y = lariat.ones(30), lambda = { 0.1 } }
    assert.near(1, flat.intercept[1], 1e-9)
    assert.equal(0, flat.coef:count_nonzero():item())
  end)

  it("integers for a gaussian response, booleans for classes", function()
    sound { y = label }
    sound { y = y:gt(0), family = "binomial" }
  end)

  it("groups that miss columns leave those free, and that is said", function()
    local path = sound { penalty = P.group_lasso { groups = { { 1, 2 } } } }
    assert.same({ 0, 0 }, path.coef[{ { 1, 2 }, 1 }]:totable())
    assert.equal(2, path.df[1])
    assert.matches("columns 3, 4 are in no group and free of it", tostring(path), 1, true)
    local most = sound { penalty = P.group_lasso { groups = { { 1, 2 }, { 4 } } } }
    assert.matches("column 3 is in no group and free of it", tostring(most), 1, true)
    local all = sound { penalty = P.group_lasso { groups = { { 1, 2 }, { 3, 4 } } } }
    assert.is_nil(tostring(all):find "no group")
  end)

  it("a box without 0 holds from the first lambda", function()
    local path = sound { lower = 0.5, upper = 1 }
    assert.is_true(path.coef:ge(0.5 - 1e-12):all():item())
    assert.is_true(path.coef:le(1 + 1e-12):all():item())
    local below = sound { upper = { -1, INF, INF, INF } }
    assert.is_true(below.coef[1]:le(-1 + 1e-12):all():item())
  end)

  it("every column excluded: nothing but the intercept", function()
    local path = sound { penalty = P.l1 { weights = { INF, INF, INF, INF } }, lambda = { 1 } }
    assert.equal(0, path.coef:count_nonzero():item())
  end)

  it("columns far from 0 count as their distance from their mean", function()
    local one, far = sound { standardize = true }, sound { x = x + 1e7, standardize = true }
    near.check(far.coef, one.coef, { rel = 1e-7, abs = 1e-7 })
  end)

  it("counts with an offset far up or down", function()
    local q = { y = (y + 9):round(), family = "poisson" }
    local one = sound(q)
    for _, shift in ipairs { -1000, 1000 } do
      q.offset = lariat.full({ 30 }, shift)
      local other = sound(q)
      near.check(other.coef, one.coef, { rel = 1e-6, abs = 1e-9 })
      near.check(other.intercept, one.intercept - shift, { rel = 1e-9 })
    end
  end)

  it("classes told apart by a column, and hardly a penalty: few steps", function()
    for _, penalty in ipairs { P.l1(), P.elastic_net { l1_ratio = 0.5 }, P.l2() } do
      local path = sound {
        y = x[{ {}, 1 }]:gt(0), family = "binomial", penalty = penalty,
        lambda = { 1e-2, 1e-4, 1e-6, 1e-8, 1e-10 },
      }
      for _, status in ipairs(path.status) do assert.equal("converged", status) end
      assert.is_true(path.iterations:max():item() < 500)
    end
  end)

  it("times told apart by a column, and hardly a penalty: all finite", function()
    local path = sound {
      y = x[{ {}, 1 }] * -1 + 9, status = lariat.ones(30), family = "cox",
      lambda = { 1e-3, 1e-9, 0 },
    }
    assert.same({ "converged", "converged", "unbounded" }, path.status)
  end)

  it("a coefficient next to 0 at the first lambda does not hold up the next", function()
    lariat.seed(15)
    local path = glm.path {
      x = lariat.randn(40, 500, f64), y = lariat.rand(40, f64), status = lariat.ones(40),
      family = "cox", penalty = P.elastic_net { l1_ratio = 0.1 }, n_lambda = 100,
    }
    for _, status in ipairs(path.status) do assert.equal("converged", status) end
  end)

  it("classes told apart by a column, without a penalty: no crash, and a status", function()
    local fit = glm.fit {
      x = x, y = x[{ {}, 1 }]:gt(0), family = "binomial", lambda = 0, max_iter = 200,
    }
    assert.is_string(fit.status)
    assert.not_equal("converged", fit.status)
  end)
end)
