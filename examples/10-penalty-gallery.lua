-- Penalties of single weights side by side: what each one's proximal step does to a weight, and
-- what each one finds in the same sparse regression.

local lariat = require "lariat"
local nn, P = lariat.nn, lariat.penalty

-- The proximal step, argmin_u (u - v)^2 / 2 + Omega(u): where it is 0 the weight is dropped,
-- where it is v the weight is left alone.
local curves = {
  { "l1", P.l1(1) }, { "l2", P.l2(1) }, { "net", P.elastic_net(1) }, { "huber", P.huber(1) },
  { "l0", P.l0(1) }, { "lq 1/2", P.lq(1) }, { "lq 2/3", P.lq { lambda = 1, q = 2 / 3 } },
  { "mcp", P.mcp(1) }, { "scad", P.scad(1) }, { "logs", P.log_sum { lambda = 1, eps = 0.5 } },
  { "capped", P.capped_l1 { lambda = 1, theta = 1.5 } },
}

local head = { "     v" }
for _, curve in ipairs(curves) do head[#head + 1] = ("%6s"):format(curve[1]) end
print "The proximal step with lambda 1 and step 1, from v to"
print(table.concat(head, " "))
for v = 0.5, 4.5, 0.5 do
  local row = { ("%6.2f"):format(v) }
  for _, curve in ipairs(curves) do
    local u = curve[2]:prox(lariat.tensor { v }, 1):at(1)
    row[#row + 1] = u == 0 and "     0" or ("%6.2f"):format(u)
  end
  print(table.concat(row, " "))
end

-- Ten columns of fifty matter, in two groups of five; noise as large as the smallest of them.
lariat.seed(7)
local n, p, size = 100, 50, 5
local truth = lariat.zeros(p)
truth[{ { 1, 10 } }] = lariat.tensor { 3, 2, -2, 1.5, 1, 2.5, -1, -3, 1, 2 }
local x = lariat.randn(n, p)
local y = x:mv(truth) + lariat.randn(n)

local groups = {}
for g = 1, p // size do
  groups[g] = {}
  for k = 1, size do groups[g][k] = (g - 1) * size + k end
end

local function fit(penalty)
  local model = nn.linear(p, 1, { bias = false, init = "zeros" })
  lariat.fit(model, { x = x, y = y }, {
    loss = "squared", penalty = penalty, optimizer = lariat.optim.gd { lr = 0.25 },
    epochs = 500, progress = false,
  })
  return model:parameter("weight"):detach():reshape(-1)
end

local ridge = fit(P.l2(0.05))
local cases = {
  { "nothing" }, { "l2", P.l2(0.05) }, { "huber", P.huber { lambda = 0.2, delta = 0.3 } },
  { "l1", P.l1(0.15) }, { "elastic_net", P.elastic_net { lambda = 0.15, l1_ratio = 0.9 } },
  { "slope", P.slope { lambda = 0.07, q = 0.1 } }, { "l0", P.l0(0.1) },
  { "lq 1/2", P.lq(0.15) }, { "lq 2/3", P.lq { lambda = 0.15, q = 2 / 3 } },
  { "mcp", P.mcp(0.3) }, { "scad", P.scad(0.3) },
  { "log_sum", P.log_sum { lambda = 0.1, eps = 0.1 } },
  { "capped_l1", P.capped_l1 { lambda = 0.2, theta = 0.5 } }, { "hoyer", P.hoyer(0.02) },
  { "adaptive l1", P.adaptive(P.l1(0.1), { from = ridge:reshape(1, p), gamma = 1 }) },
  { "group_lasso", P.group_lasso { lambda = 0.15, groups = groups } },
  { "group_mcp", P.group_mcp { lambda = 0.2, groups = groups } },
  { "group_scad", P.group_scad { lambda = 0.2, groups = groups } },
  { "l1_ball", P.l1_ball(truth:abs():sum():item()) },
  { "l2_ball", P.l2_ball(truth:norm():item()) }, { "linf_ball", P.linf_ball(3) },
  { "nonnegative", P.nonnegative() },
}

print "\nThe same regression: 10 of 50 coefficients are not 0"
print "penalty         exact zeros   wrong zeros   distance from the truth"
for _, case in ipairs(cases) do
  local w = fit(case[2])
  local zero = w:eq(0)
  print(("%-14s %8d of 40 %10d %19.3f"):format(case[1],
    zero[{ { 11, p } }]:count_nonzero():item(), zero[{ { 1, 10 } }]:count_nonzero():item(),
    (w - truth):norm():item()))
end
