-- Sparse logistic regression by rules that look at the whole data: which inputs tell the
-- handwritten digit 8 from the others? The minimum has exact zeros; that it is the minimum is
-- checked by what must hold there (Karush, Kuhn, Tucker): the loss's slope is lambda against
-- every weight that is not 0, and no more than lambda at every zero.

local lariat = require "lariat"
local nn, P, optim = lariat.nn, lariat.penalty, lariat.optim

local LAMBDA = 0.005
local d = lariat.data.digits()
local x = d.x:double() / 16
local y = d.y:eq(9):double():unsqueeze(2) -- classes count from 1: the ninth is the digit 8

local function residual(net)
  local w = net:parameter "weight"
  local g = lariat.grad(lariat.loss.bce_with_logits(net(x), y), { w })[1]
  w = w:detach()
  local off = lariat.where(w:eq(0), (g:abs() - LAMBDA):clamp(0), (g + LAMBDA * w:sign()):abs())
  return off:max():item() / LAMBDA
end

local function train(name, optimizer, epochs, more)
  local net = nn.linear(64, 1)
  net = net:to("float64") or net
  lariat.no_grad(function() net:parameter("weight"):zero_() end)
  local o = {
    loss = "bce_with_logits", penalty = P.l1(LAMBDA), optimizer = optimizer, epochs = epochs,
    progress = false,
  }
  for k, v in pairs(more or {}) do o[k] = v end
  local history = lariat.fit(net, { x = x, y = y }, o)
  local zeros = net:parameter("weight"):eq(0):sum():item()
  print(("%-26s %-10s %5d  %.9f  %5d  %9.1e  %6.2f s"):format(name, history.status, #history,
    history[#history].objective, zeros, residual(net), history.seconds))
  return net, history
end

print(("%-26s %-10s %5s  %-11s  %5s  %9s  %8s"):format("rule", "status", "iter", "objective",
  "zeros", "KKT/lam", "time"))
local net, history = train("owlqn", optim.owlqn { tol = 1e-5 }, 500)
assert(history.status == "converged" and residual(net) < 1e-3)
train("fista", optim.fista { tol = 1e-5 }, 2000)
train("svrg, batches of 100", optim.svrg { lr = 0.5 }, 30, { batch_size = 100, seed = 1 })
train("adam, whole data", optim.adam { lr = 0.05 }, 500, { batch_size = #x })
train("gd", optim.gd { lr = 0.5 }, 500)

print "\nWhere the weights are that owlqn kept (+ speaks for an 8, - against, . is exactly 0):"
local w = net:parameter("weight"):view(8, 8)
for i = 1, 8 do
  local line = {}
  for j = 1, 8 do
    local v = w:at(i, j)
    line[j] = v == 0 and "." or v > 0 and "+" or "-"
  end
  print("    " .. table.concat(line, " "))
end

-- A smooth objective: the same by quasi-Newton and by Newton steps.
print "\nWith l2 in place of l1:"
for _, name in ipairs { "lbfgs", "newton_cg" } do
  local ridge = nn.linear(64, 1)
  ridge = ridge:to("float64") or ridge
  local h = lariat.fit(ridge, { x = x, y = y }, {
    loss = "bce_with_logits", penalty = P.l2(LAMBDA), optimizer = name, progress = false,
  })
  print(("%-26s %-10s %5d  %.9f"):format(name, h.status, #h, h[#h].objective))
  assert(h.status == "converged")
end
local ok, why = pcall(lariat.fit, net, { x = x, y = y }, {
  loss = "bce_with_logits", penalty = P.l1(LAMBDA), optimizer = "lbfgs",
})
assert(not ok)
print("\nlbfgs refuses what it cannot do: " .. tostring(why):gsub("^.-lbfgs", "lbfgs"))
