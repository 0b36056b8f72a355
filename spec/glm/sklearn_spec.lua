-- scikit-learn's coefficients, under compat = "sklearn". Figures and command:
-- spec/fixtures/sklearn_glm.py.
local lariat = require "lariat"
local data = require "spec.support.glm_data"
local near = require "spec.support.near"

local P = lariat.penalty
local cases = dofile "spec/fixtures/sklearn_glm.lua"

local FAMILY = {
  HuberRegressor = "huber", QuantileRegressor = "quantile", PoissonRegressor = "poisson",
}

local function question(case)
  local x, y = data.of(case)
  local given = {
    x = x, y = y, family = FAMILY[case.estimator], compat = "sklearn", tol = 1e-12,
    alpha = case.alpha, l1_ratio = case.l1_ratio, C = case.C, scale = case.scale,
    epsilon = case.epsilon, tau = case.quantile,
  }
  if case.estimator == "LogisticRegression" then
    given.family = #case.intercept > 1 and "multinomial" or "binomial"
  elseif case.estimator == "Ridge" then
    given.penalty = P.l2()
  end
  return given
end

local function check(actual, expected, what)
  near.check(actual, expected, { rel = 1e-6, abs = 1e-6, what = what })
end

local function name(case)
  local strength = case.C and ("C = %g"):format(case.C) or ("alpha = %g"):format(case.alpha)
  return ("%s, %s, %s"):format(case.estimator, case.data, strength)
end

describe("as scikit-learn:", function()
  for _, case in ipairs(cases) do
    it(name(case), function()
      local fit = lariat.glm.fit(question(case))
      if fit.k > 1 then
        check(fit.coef:t(), case.coef, "coef")
        check(fit.intercept - fit.intercept:mean(), case.intercept, "intercept")
      else
        local flat = type(case.coef[1]) == "table" and case.coef[1] or case.coef
        local b0 = type(case.intercept) == "table" and case.intercept[1] or case.intercept
        check(fit.coef, flat, "coef")
        check(fit.intercept, b0, "intercept")
      end
    end)
  end
end)
