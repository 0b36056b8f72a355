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
