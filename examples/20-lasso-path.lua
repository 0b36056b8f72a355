-- The lasso on diabetes: the path from nothing to all ten measurements, which enter in what
-- order, the lambda that cross-validation picks, and what each criterion would keep.
--
-- Usage: lariat examples/20-lasso-path.lua

local lariat = require "lariat"
local glm = lariat.glm

local d = lariat.data.diabetes()
local path = glm.path { data = d, standardize = true, n_lambda = 12 }
print(path)

-- The exact breakpoints of the path: where a measurement comes in (or leaves).
local knots = glm.path { data = d, standardize = true }.knots
local inside = knots.coef:abs():gt(1e-9)
print "\nlambda     comes in or leaves"
for l = 2, knots.lambda.numel do
  local before, after = inside[{ {}, l - 1 }], inside[{ {}, l }]
  for j, name in ipairs(d.names) do
    if before[j] ~= after[j] then
      print(("%8.4f   %s%s"):format(knots.lambda[l - 1], after[j] and "+" or "-", name))
    end
  end
end

local cv = glm.cv { data = d, standardize = true, folds = 10, seed = 1 }
print()
print(cv)
print()
print(cv:at "1se")

print "\nkept by"
local function report(name, fit)
  local names = {}
  for i, b in ipairs(fit:table()) do names[i] = b.name end
  print(("  %-22s %2d: %s"):format(name, fit.df, table.concat(names, " ")))
end
report("cross-validation, min", cv:at "min")
report("cross-validation, 1se", cv:at "1se")
report("AIC", cv.fit:best "aic")
report("BIC", cv.fit:best "bic")

-- Least squares on what BIC kept: the same columns, without shrinkage.
print(("\nbmi shrunk by the lasso at BIC: %.3f, refitted: %.3f"):format(
  cv.fit:best "bic".coef[3], cv.fit:best("bic"):debias().coef[3]))

-- With gnuplot, path:plot() draws in the terminal, path:plot("path.svg") to a file.
local drawn, why = pcall(cv.plot, cv)
if not drawn then print("\n" .. tostring(why):gsub("^.-:%d+: ", "")) end
