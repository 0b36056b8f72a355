-- Sums of penalties: what acts by gradient, what by a proximal step, and how proximal steps on
-- the same weights compose. print says it; nothing is approximated in silence.

local lariat = require "lariat"
local P = lariat.penalty

local function show(title, pen)
  print(title)
  for line in tostring(pen):gmatch "[^\n]+" do print("    " .. line) end
  print()
end

show("Smooth terms go into the gradient, the others act after it:",
  1e-2 * P.l1() + P.l2(1e-4))
show("Absolute values, squares and bounds have one closed form:",
  P.l1(0.1) + P.elastic_net { lambda = 0.1, l1_ratio = 0.5 } + P.box(-1, 1))
show("Soft thresholding, then norms of groups, is the prox of the sum (a theorem):",
  P.l1(0.1) + P.group_lasso { lambda = 0.2, by = "input" })
show("So it is before a penalty that is not convex:", P.l1(0.05) + P.mcp(0.2))
show("Differences first, then what treats all coordinates alike:", P.l1(0.1) + P.tv1d(0.3))
show("Where no theorem applies and all is convex: splitting, to a stated tolerance:",
  P.group_lasso { lambda = 0.1, by = "input" } + P.group_lasso { lambda = 0.1, by = "output" })
show("Scopes keep terms apart:",
  P.l1(0.1):on("1.weight") + P.max_norm(2):on("2.weight") + P.l2(0.01):on("bias"))

local both = P.l0(0.1) + P.mcp(0.1)
show("And where nothing is known the sum is refused when it is used:", both)
local ok, why = pcall(both.prox, both, lariat.tensor { 1, 2 }, 1)
assert(not ok)
print("    " .. tostring(why):gsub("^.-penalty:", "penalty:") .. "\n")

-- Is it so? Of the prox of a sum no point may be better: a hundred thousand are tried.
local function objective(pen, u, v) return ((u - v) ^ 2):sum():item() / 2 + pen:value(u) end

lariat.seed(1)
local options = { dtype = "float64" }
local v = lariat.randn(4, 3, options) * 2
for _, case in ipairs {
  { "l1 + group_lasso", P.l1(0.3) + P.group_lasso { lambda = 0.4, by = "input" } },
  { "two group lassos", P.group_lasso { lambda = 0.3, by = "input" }
    + P.group_lasso { lambda = 0.3, by = "output" } },
  { "l1 + mcp", P.l1(0.2) + P.mcp(0.5) },
  { "l1 + slope", P.l1(0.2) + P.slope(0.3) },
  { "nonnegative + l1_ball", P.nonnegative() + P.l1_ball(3) },
} do
  local pen, tried, least = case[2], 20000, math.huge
  local u = pen:prox(v, 1)
  for k = 1, tried do
    local trial = u + lariat.randn(4, 3, options) * 10 ^ (-6 * k / tried)
    if k % 3 == 0 then trial = trial * u:ne(0):double() end
    if k % 5 == 0 then trial = trial:clamp(0) end
    least = math.min(least, objective(pen, trial, v))
  end
  local best = objective(pen, u, v)
  print(("%-22s at the prox %.9f, the least of %d other points %.9f"):format(case[1], best,
    tried, least))
  assert(best <= least + 1e-9)
end
