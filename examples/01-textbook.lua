-- The textbook experiment: linear regression by plain gradient descent, with a penalty.
--
--   m = 100 rows, n = 10 columns, X uniform on [0, 1), y the row sums, theta uniform at the
--   start, lambda = 0.1, eta = 0.01, 1000 steps on
--
--   J(theta) = 1/(2m) sum (h - y)^2  +  lambda/(2m) sum theta^2,     h = X theta
--
-- A NumPy listing of this experiment is copied widely and wrong in two places: it subtracts y
-- of shape (100) from h of shape (100, 1), which broadcasts to 100 x 100 differences; and its
-- penalty gradient multiplies (10, 1) by (10, 1), which is an error. Here y is a column, a
-- shape that does not fit is refused, and the gradient is derived.

local lariat = require "lariat"
local nn, P = lariat.nn, lariat.penalty

lariat.default_dtype "float64"
lariat.seed(1)

local m, n, lambda, eta, steps = 100, 10, 0.1, 0.01, 1000
local X = lariat.rand(m, n)
local y = X:sum(2, { keepdim = true })
local theta0 = lariat.rand(1, n)

print("A shape that the NumPy listing lets through is an error here:")
print("  " .. select(2, pcall(lariat.loss.squared, X:matmul(theta0:t()), y:reshape(m))))

-- 1000 steps from theta0 on squared loss plus a penalty; returns theta and the history.
local function descend(x, target, penalty)
  local model = nn.linear(n, 1, { bias = false })
  lariat.no_grad(function() model:parameter("weight"):copy_(theta0) end)
  local history = lariat.fit(model, { x = x, y = target }, {
    loss = "squared", penalty = penalty, optimizer = lariat.optim.gd { lr = eta },
    epochs = steps, progress = false,
  })
  return model:parameter("weight"), history
end

-- The textbook's lambda/(2m) |theta|^2: P.l2(s) is s/2 |theta|^2, so s = lambda / m.
local l2 = (lambda / m) * P.l2()
print("\nMinimising squared loss + " .. tostring(l2))
local theta, history = descend(X, y, l2)
for _, k in ipairs { 1, 10, 100, 1000 } do
  print(("  J before step %4d  %.6f"):format(k, history[k].objective))
end
print("  theta is near the true ones:", theta)

-- The solution in closed form: (X'X + lambda I)^-1 X'y.
local exact = lariat.linalg.solve(X:t():matmul(X) + lambda * lariat.eye(n), X:t():matmul(y))
print(("  largest distance from the closed form after %d steps: %.3f"):format(
  steps, (theta - exact:t()):abs():max():item()))

-- The L1 form, lambda sum |theta|. Only the first three columns matter to this y. The
-- subgradient sign(theta) steps across zero for ever; the proximal step stops on it.
local y3 = X[{ {}, { 1, 3 } }]:sum(2, { keepdim = true })
local function zeros(t) return t:eq(0):count_nonzero():item() end
local by_sign = descend(X, y3, P.l1 { lambda = lambda, mode = "subgradient" })
local by_prox = descend(X, y3, P.l1(lambda))
print(("\nL1, y from the first three columns, %d steps:"):format(steps))
print("  column  subgradient   prox")
for j = 1, n do
  print(("  %6d  %11.6f  %9.6f"):format(j, by_sign:at(1, j), by_prox:at(1, j)))
end
print(("  exact zeros: %d by subgradient, %d by prox"):format(zeros(by_sign), zeros(by_prox)))
