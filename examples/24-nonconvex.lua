-- Shrinkage has a price: the lasso pulls large coefficients towards 0 too, and pays for it by
-- keeping noise. MCP and SCAD leave large ones alone. Here is the bias, over 30 draws, and
-- where on the path the problem stops being convex.
--
-- Usage: lariat examples/24-nonconvex.lua

local lariat = require "lariat"
local glm, P = lariat.glm, lariat.penalty
local f64 = { dtype = "float64" }

local N, COLUMNS, DRAWS = 150, 60, 30
local TRUTH = { 3, -2, 1.5, 1, -1 }

local function draw(seed)
  lariat.seed(seed)
  local common = lariat.randn(N, 1, f64)
  local x = (lariat.randn(N, COLUMNS, f64) + common * 0.7) / (1 + 0.7 ^ 2) ^ 0.5
  local y = lariat.randn(N, f64)
  for j, b in ipairs(TRUTH) do y = y + x[{ {}, j }] * b end
  return x, y
end

local penalties = {
  { "lasso", P.l1() },
  { "MCP, gamma 3", P.mcp { gamma = 3 } },
  { "SCAD, a 3.7", P.scad { a = 3.7 } },
}

print(("true coefficients: %s, and %d zeros; lambda by BIC, %d draws\n"):format(
  table.concat(TRUTH, " "), COLUMNS - #TRUTH, DRAWS))
print(("%-14s %-38s %9s %6s"):format("", "mean estimate of each", "bias of", "zeros"))
print(("%-14s %-38s %9s %6s"):format("", "", "the first", "kept"))
for _, p in ipairs(penalties) do
  local sum, extra = lariat.zeros(#TRUTH, f64), 0
  for seed = 1, DRAWS do
    local x, y = draw(seed)
    local fit = glm.path { x = x, y = y, penalty = p[2], n_lambda = 50 }:best "bic"
    sum = sum + fit.coef[{ { 1, #TRUTH } }]
    extra = extra + fit.coef[{ { #TRUTH + 1, -1 } }]:count_nonzero():item()
  end
  local mean, words = (sum / DRAWS):totable(), {}
  for j, b in ipairs(mean) do words[j] = ("%6.2f"):format(b) end
  print(("%-14s %-38s %9.3f %6.1f"):format(p[1], table.concat(words, " "),
    mean[1] - TRUTH[1], extra / DRAWS))
end

-- One draw: what was minimised, and how sure it is.
local x, y = draw(1)
local path = glm.path { x = x, y = y, penalty = P.mcp { gamma = 3 }, n_lambda = 50 }
print("\n" .. path:objective())
print(("every point is stationary to %.1e"):format(path.kkt:max():item()))
print(("down to lambda = %.3f (of %.3f) the problem is convex around the fit; below, there may")
  :format(path.convex_until, path.lambda[1]))
print "be other minima"

-- Both parameters by cross-validation, on the same folds.
local cv = glm.cv {
  x = x, y = y, penalty = P.mcp(), gamma = { 1.5, 3, 6, 20 }, seed = 1, n_lambda = 50,
}
print "\ngamma   least error   at lambda   coefficients"
for _, one in ipairs(cv.grid) do
  print(("%5g %13.3f %11.3f %14d"):format(one.gamma, one.loss_min, one.lambda_min,
    one.fit.df[one.index_min]))
end
print(("best: gamma = %g"):format(cv.gamma))
