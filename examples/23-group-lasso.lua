-- Groups of columns come and go together: each of 12 quantities is expanded into a cubic (three
-- columns), and the group lasso decides which quantities matter, not which powers. The lasso on
-- the same columns keeps odd powers here and there.
--
-- Usage: lariat examples/23-group-lasso.lua

local lariat = require "lariat"
local glm, P = lariat.glm, lariat.penalty
local f64 = { dtype = "float64" }

local N, QUANTITIES, POWERS = 200, 12, 3
lariat.seed(4)
local z = lariat.rand(N, QUANTITIES, f64) * 2 - 1

-- Columns z, z^2, z^3 of each quantity, of length 1; which group each is in.
local columns, groups, names = {}, {}, {}
for q = 1, QUANTITIES do
  groups[q] = {}
  for power = 1, POWERS do
    local v = z[{ {}, q }] ^ power
    v = v - v:mean()
    columns[#columns + 1] = v / v:square():mean():sqrt()
    groups[q][power] = #columns
    names[#columns] = ("z%d^%d"):format(q, power)
  end
end
local x = lariat.stack(columns, 2)

-- Three quantities matter, each by a curve.
local y = (z[{ {}, 1 }] * 3):sin() * 2 + z[{ {}, 2 }] ^ 2 * 3 + z[{ {}, 3 }] ^ 3 * 3
  + lariat.randn(N, f64) * 0.7

local function report(name, penalty)
  local cv = glm.cv { x = x, y = y, names = names, penalty = penalty, seed = 1 }
  local fit = cv:at "1se"
  local used = {}
  for q = 1, QUANTITIES do
    local of = {}
    for power, j in ipairs(groups[q]) do
      if fit.coef[j] ~= 0 then of[#of + 1] = power end
    end
    if #of > 0 then used[#used + 1] = ("z%d (powers %s)"):format(q, table.concat(of, ",")) end
  end
  print(("%-20s error %.3f +- %.3f at lambda = %.4f, %d quantities:"):format(name,
    cv.mean[cv.index_1se], cv.se[cv.index_1se], cv.lambda_1se, #used))
  print("    " .. table.concat(used, ", "))
  return cv
end

report("lasso", P.l1())
local grouped = report("group lasso", P.group_lasso { groups = groups })
report("sparse group lasso", P.sparse_group_lasso { groups = groups, l1_ratio = 0.3 })
report("group MCP", P.group_mcp { groups = groups })

print("\nwhat the group lasso minimised:\n  " .. grouped:objective())
print(("certificate: relative gap at most %.1e on %d lambdas"):format(
  grouped.fit.gap:max():item(), #grouped.fit.status))
