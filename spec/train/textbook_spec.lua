-- The textbook experiment against NumPy, corrected, at every iteration to 1e-12 relative: plain
-- gradient descent on J = 1/(2m) sum (h - y)^2 + lambda/(2m) sum theta^2, and the L1 form.
-- Figures and command: spec/fixtures/numpy_textbook.py.

local lariat = require "lariat"
local near = require "spec.support.near"

local nn, P = lariat.nn, lariat.penalty
local book = dofile "spec/fixtures/numpy_textbook.lua"

local function check(actual, expected, what)
  near.check(actual, expected, { rel = 1e-12, abs = 0, what = what })
end

local function tensor(values)
  return lariat.tensor(values, { dtype = "float64" })
end

-- X, y, theta and the direction d from the generator both languages share.
local function data()
  local s = book.seed
  local function uniform()
    s = 16807 * s % 2147483647
    return s / 2147483647
  end
  local x, y, theta, d = {}, {}, {}, {}
  for i = 1, book.m do
    x[i] = {}
    local sum = 0.0
    for j = 1, book.n do
      x[i][j] = uniform()
      sum = sum + x[i][j]
    end
    y[i] = { sum }
  end
  for j = 1, book.n do theta[j] = uniform() end
  for j = 1, book.n do d[j] = uniform() end
  return x, y, theta, d
end

local X, Y, THETA, D = data()

-- A linear model without a bias, at theta.
local function model()
  local net = nn.linear(book.n, 1, { bias = false })
  net = net:to("float64") or net
  local w = net:parameter("weight")
  lariat.no_grad(function() w:copy_(tensor({ THETA })) end)
  return net, w
end

-- Compares one iteration; `k` counts steps done.
local function compare(run, k, w, j)
  if j then check(j, run.J[k + 1], "J after " .. k .. " steps") end
  if run.dot then
    check((w * tensor({ D })):sum(), run.dot[k + 1], "d . theta after " .. k .. " steps")
  end
  for row, at in ipairs(book.at) do
    if at == k then check(w, { run.theta[row] }, "theta after " .. k .. " steps") end
  end
end

-- Every iteration of a run by hand, with an optimiser.
local function by_hand(run, penalty)
  local net, w = model()
  local x, y = tensor(X), tensor(Y)
  local opt = lariat.optim.gd(net, { lr = book.eta, penalty = penalty })
  for k = 0, book.steps do
    opt:zero_grad()
    local loss = lariat.loss.squared(net(x), y)
    compare(run, k, w, loss:item() + penalty:value(net))
    loss:backward()
    opt:step()
  end
end

-- Every iteration of a run by fit; on_epoch sees theta after the step.
local function by_fit(run, penalty)
  local net, w = model()
  local seen = 0
  local history = lariat.fit(net, { x = tensor(X), y = tensor(Y) }, {
    loss = "squared", penalty = penalty, optimizer = lariat.optim.gd { lr = book.eta },
    epochs = book.steps, batch_size = book.m,
    on_epoch = function(state)
      compare(run, state.epoch, w)
      seen = seen + 1
    end,
  })
  assert.equal(book.steps, seen)
  assert.equal("max_epochs", history.status)
  return history
end

local function ridge() return (book.lam / book.m) * P.l2() end

describe("the textbook experiment", function()
  it("has the data of the reference", function()
    local sum, all = 0, tensor(X):sum():item()
    for j = 1, book.n do check(THETA[j], book.theta0[j], "theta") end
    for i = 1, book.m do sum = sum + Y[i][1] end
    check(sum, book.x_sum, "sum of y")
    check(all, book.x_sum, "sum of x")
  end)

  it("with L2, by autograd and plain arithmetic", function()
    local x, y, w = tensor(X), tensor(Y), lariat.tensor({ THETA },
      { dtype = "float64", requires_grad = true })
    for k = 0, book.steps do
      local fit = ((x:matmul(w:t()) - y) ^ 2):sum() / (2 * book.m)
      local j = fit + book.lam / (2 * book.m) * (w ^ 2):sum()
      compare(book.l2, k, w, j:item())
      local g = lariat.grad(j, { w })[1]
      lariat.no_grad(function() w:add_(g, -book.eta) end)
    end
  end)

  it("with L2, by gradient descent and a penalty", function() by_hand(book.l2, ridge()) end)

  it("with L2, by fit", function()
    local history = by_fit(book.l2, ridge())
    assert.equal(book.steps, #history)
    check(history[1].loss + history[1].penalty, history[1].objective, "objective")
  end)

  it("with L1, by the subgradient", function()
    by_hand(book.subgradient, P.l1 { lambda = book.lam, mode = "subgradient" })
  end)

  it("with L1, by prox", function() by_hand(book.prox, P.l1(book.lam)) end)

  it("with L1, by fit", function() by_fit(book.prox, P.l1(book.lam)) end)
end)
