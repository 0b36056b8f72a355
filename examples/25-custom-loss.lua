-- A loss of your own: write its value for each row, in tensor operations; its derivatives are
-- derived, and every penalty works with it. Here: expectiles (an asymmetric square), and the
-- log-cosh loss, which is square near 0 and straight far out.
--
-- Usage: lariat examples/25-custom-loss.lua

local lariat = require "lariat"
local glm, P = lariat.glm, lariat.penalty

local d = lariat.data.standardize(lariat.data.diabetes { dtype = "float64" })

-- Expectiles: errors below count 1 - tau, errors above tau.
local function expectile(tau)
  return function(eta, y)
    local e = y - eta
    local weight = e:gt(0):double() * (2 * tau - 1) + (1 - tau)
    return weight * e:square()
  end
end

print "expectile   intercept     bmi      bp      s5   columns   optimal to"
for _, tau in ipairs { 0.1, 0.5, 0.9 } do
  local fit = glm.fit { data = d, family = expectile(tau), penalty = 2 * P.l1() }
  print(("%9.1f %11.2f %7.2f %7.2f %7.2f %9d %12.1e"):format(tau, fit.intercept, fit.coef[3],
    fit.coef[4], fit.coef[9], fit.df, fit.kkt))
end

-- At tau = 1/2 it is half of twice the squared loss: the lasso itself.
local half = glm.fit { data = d, family = expectile(0.5), penalty = 2 * P.l1(), tol = 1e-10 }
local lasso = glm.fit { data = d, penalty = 2 * P.l1(), tol = 1e-10 }
print(("the expectile 0.5 and the lasso differ by %.1e"):format(
  (half.coef - lasso.coef):abs():max():item()))

-- log cosh, scaled: robust to a few wild values.
local function log_cosh(scale)
  return function(eta, y)
    local e = ((y - eta) / scale):abs()
    return (e + (e * -2):exp():log1p() - math.log(2)) * scale ^ 2
  end
end

local wild = d.y:clone()
for i = 1, #d, 20 do wild[i] = wild[i] + 2000 end
print "\nwith 5 % of the responses off by 2000:   intercept     bmi      s5"
for _, loss in ipairs { { "squared" }, { "huber" }, { "log cosh", log_cosh(30) } } do
  local family = loss[2] or loss[1] == "huber" and "huber" or "gaussian"
  local fit = glm.fit {
    x = d.x, y = wild, names = d.names, family = family, penalty = P.l1(),
    delta = family == "huber" and 30 or nil,
  }
  print(("%38s %12.2f %7.2f %7.2f"):format(loss[1], fit.intercept, fit.coef[3], fit.coef[9]))
end
local clean = glm.fit { data = d, penalty = P.l1() }
print(("%38s %12.2f %7.2f %7.2f"):format("squared, before the damage", clean.intercept,
  clean.coef[3], clean.coef[9]))

-- Cross-validation with a score of your own: the median absolute error.
local cv = glm.cv {
  x = d.x, y = wild, family = log_cosh(30), folds = 5, n_lambda = 6, lambda_min_ratio = 1e-2,
  loss = function(prediction, target) return (prediction - target):abs():median() end,
}
print(("\nby the median absolute error, log cosh takes lambda = %.2f: %.1f +- %.1f"):format(
  cv.lambda_min, cv.mean[cv.index_min], cv.se[cv.index_min]))
