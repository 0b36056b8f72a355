-- glmnet's coefficients, deviances and cross-validations, under compat = "glmnet". Figures and
-- command: spec/fixtures/glmnet.R.
local lariat = require "lariat"
local data = require "spec.support.glm_data"
local near = require "spec.support.near"

local paths = dofile "spec/fixtures/glmnet_paths.lua"
local validations = dofile "spec/fixtures/glmnet_cv.lua"

local function question(case)
  local x, y, status = data.of(case)
  local given = {
    x = x, y = y, status = status, family = case.family, compat = "glmnet", tol = 1e-12,
    alpha = case.alpha, lambda = case.lambda, standardize = case.standardize,
    lower = case.lower, upper = case.upper, grouped = case.grouped,
  }
  if case.factors then given.penalty_factor = data.factors end
  if case.weights then given.weights = data.weights end
  if case.offset then given.offset = data.offset end
  if case.no_intercept then given.intercept = false end
  return given
end

-- Coefficients and intercept of class c (or of the only predictor) at every lambda.
local function part(path, c)
  if path.k == 1 then return path.coef:t(), path.intercept end
  return path.coef[{ {}, c, {} }]:t(), path.intercept[c]
end

local function same(path, case, c, coef, intercept)
  local b, b0 = part(path, c)
  near.check(b, coef, { rel = 1e-6, abs = 1e-6, what = case.name .. ", coefficients" })
  if intercept == nil then return end
  -- of classes, only differences mean anything
  if case.family == "multinomial" then
    local mean = path.intercept:mean(1)
    b0 = b0 - mean
  end
  near.check(b0, intercept, { rel = 1e-6, abs = 1e-6, what = case.name .. ", intercepts" })
end

describe("as glmnet:", function()
  for _, case in ipairs(paths) do
    it(case.name, function()
      local path = lariat.glm.path(question(case))
      if path.k == 1 then
        same(path, case, 1, case.coef, case.intercept)
      else
        for c = 1, path.k do same(path, case, c, case.coef[c], case.intercept[c]) end
      end
      near.check(path.dev_ratio, case.dev_ratio, { rel = 1e-6, what = "share of deviance" })
      near.check(path.df, case.df, { what = "df" })
    end)
  end
end)

describe("cross-validation as glmnet:", function()
  for _, case in ipairs(validations) do
    it(case.family .. ", " .. case.measure .. (case.weights and ", weighted" or ""), function()
      local given = question(case)
      given.folds, given.loss = data.folds(given.x.shape[1]), case.measure
      local cv = lariat.glm.cv(given)
      near.check(cv.mean, case.mean, { rel = 1e-6, what = "mean" })
      near.check(cv.se, case.se, { rel = 1e-5, what = "standard error" })
      near.check(cv.lambda_min, case.lambda_min, { what = "lambda_min" })
      near.check(cv.lambda_1se, case.lambda_1se, { what = "lambda_1se" })
    end)
  end
end)

describe("with next to no l1, as glmnet:", function()
  local function grid(given)
    given.compat, given.n_lambda = "glmnet", 3
    return lariat.glm.path(given)
  end

  it("the grid of several responses begins by the norms of columns", function()
    local x = lariat.tensor({ { 1, 2 }, { 3, -1 }, { -2, 0 }, { 0, 4 } }, { dtype = "float64" })
    local y = lariat.tensor({ { 1, 0 }, { 2, 1 }, { -3, 1 }, { 0, 5 } }, { dtype = "float64" })
    local ridge = grid { x = x, y = y, family = "mgaussian", alpha = 0 }
    local lasso = grid { x = x, y = y, family = "mgaussian", alpha = 1 }
    near.check(ridge.lambda[1], lasso.lambda[1] * 1000, { rel = 1e-12, what = "lambda_max" })
  end)

  it("bounds and factors go with classes in groups, which ridge does not tie", function()
    local d = lariat.data.iris()
    local given = { data = d, family = "multinomial", alpha = 0, lambda = { 0.1 },
      lower = -0.1, upper = 0.2, penalty_factor = { 1, 2, 1, 0.5 } }
    given.grouped = true
    local grouped = grid(given)
    given.grouped = nil
    near.check(grouped.coef, grid(given).coef, { abs = 1e-12, what = "coefficients" })
  end)
end)
