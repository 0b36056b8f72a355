-- Fifty steps of every optimiser against PyTorch in float64, by hand and by lariat.fit.
-- Figures and command: spec/fixtures/torch_optim.py.

local lariat = require "lariat"
local near = require "spec.support.near"

local nn, P = lariat.nn, lariat.penalty
local problem = dofile "spec/fixtures/torch_optim.lua"

local function check(actual, expected, what)
  near.check(actual, expected, { rel = 1e-9, abs = 1e-9, what = what })
end

local function tensor(values)
  return lariat.tensor(values, { dtype = "float64" })
end

-- The network of a case and its parameters, at the start.
local function network(case)
  local with = { bias = case.bias }
  local net = nn.sequential { nn.linear(3, 4, with), nn.tanh(), nn.linear(4, 2, with) }
  net = net:to("float64") or net
  local params, start = {}, {}
  for i, values in ipairs(problem.start) do
    if case.bias or i % 2 == 1 then start[#start + 1] = values end
  end
  for _, p in net:parameters() do params[#params + 1] = p end
  lariat.no_grad(function()
    for i, p in ipairs(params) do p:copy_(tensor(start[i])) end
  end)
  return net, params
end

local function penalty(case)
  if case.l2 then return P.l2(case.l2) end
  if case.l1 then return P.l1(case.l1) end
  if case.group then
    return P.group_lasso({ lambda = case.group, by = "input" }):on("1.weight")
  end
end

local function options(case)
  local o = {}
  for k, v in pairs(case.options) do o[k] = v end
  return o
end

local function compare(params, at, step)
  for i, p in ipairs(params) do
    check(p, at[i], ("parameter %d after step %d"):format(i, step))
  end
end

local function by_hand(case)
  local net, params = network(case)
  local o = options(case)
  o.penalty = penalty(case)
  local opt = lariat.optim[case.rule](net, o)
  local x, y = tensor(problem.x), tensor(problem.y)
  local row = 1
  for step = 1, problem.steps[#problem.steps] do
    opt:zero_grad()
    lariat.loss.squared(net(x), y):backward()
    opt:step()
    if step == problem.steps[row] then
      compare(params, case.at[row], step)
      row = row + 1
    end
  end
  return params
end

-- How many entries are exactly zero.
local function zeros(params)
  local n = 0
  for _, p in ipairs(params) do n = n + p:eq(0):sum():item() end
  return n
end

local function by_fit(case)
  local net, params = network(case)
  local row = 1
  lariat.fit(net, { x = tensor(problem.x), y = tensor(problem.y) }, {
    loss = "squared", penalty = penalty(case),
    optimizer = lariat.optim[case.rule](options(case)),
    epochs = problem.steps[#problem.steps], batch_size = #problem.x,
    on_epoch = function(state)
      if state.epoch == problem.steps[row] then
        compare(params, case.at[row], state.epoch)
        row = row + 1
      end
    end,
  })
  assert.equal(#problem.steps + 1, row)
end

describe("an optimiser's fifty steps agree with PyTorch:", function()
  it("the loss at the start", function()
    local net = network({ bias = true })
    check(lariat.loss.squared(net(tensor(problem.x)), tensor(problem.y)), problem.loss, "loss")
  end)

  for _, case in ipairs(problem.cases) do
    it(case.name, function()
      local params = by_hand(case)
      if case.zeros then assert.equal(case.zeros, zeros(params), "exact zeros") end
    end)

    it(case.name .. ", by fit", function() by_fit(case) end)
  end

  it("on a list of tensors instead of a network", function()
    for _, case in ipairs(problem.cases) do
      if case.name == "adam" then
        local net, params = network(case)
        local opt = lariat.optim.adam(params, options(case))
        for step = 1, 50 do
          opt:zero_grad()
          lariat.loss.squared(net(tensor(problem.x)), tensor(problem.y)):backward()
          opt:step()
          if step == 50 then compare(params, case.at[5], 50) end
        end
      end
    end
  end)
end)

-- A proximal step is right when what it converges to minimises J: for L1 on a linear model,
-- g_j = -lambda sign(w_j) where w_j is not zero and |g_j| <= lambda where it is.
describe("where an optimiser with L1 comes to rest is the minimum of J:", function()
  local LAMBDA = 0.1

  local function rest(rule, o, steps)
    local net = nn.linear(3, 2)
    net = net:to("float64") or net
    local w = net:parameter("weight")
    lariat.no_grad(function() w:copy_(tensor({ { 1, -1, 0.5 }, { 0.2, 2, -1 } })) end)
    o.penalty = P.l1(LAMBDA)
    local opt = lariat.optim[rule](net, o)
    local x, y = tensor(problem.x), tensor(problem.y)
    for _ = 1, steps do
      opt:zero_grad()
      lariat.loss.squared(net(x), y):backward()
      opt:step()
    end
    local g = lariat.grad(lariat.loss.squared(net(x), y), { w })[1]
    return w:totable(), g:totable()
  end

  -- The largest distance of -g to the subdifferential of lambda |w|.
  local function residual(w, g)
    local worst, none = 0, 0
    for i = 1, #w do
      for j = 1, #w[i] do
        local r
        if w[i][j] == 0 then
          r, none = math.max(0, math.abs(g[i][j]) - LAMBDA), none + 1
        else
          r = math.abs(g[i][j] + LAMBDA * (w[i][j] > 0 and 1 or -1))
        end
        worst = math.max(worst, r)
      end
    end
    return worst, none
  end

  local function settles(name, rule, o, steps, tolerance)
    it(name, function()
      local w, g = rest(rule, o, steps)
      local worst, none = residual(w, g)
      assert.is_true(worst < tolerance, ("KKT residual %.3g, %d zeros"):format(worst, none))
      assert.is_true(none > 0, "no exact zeros")
    end)
  end

  settles("sgd", "sgd", { lr = 0.2 }, 2000, 1e-9)
  settles("gd", "gd", { lr = 0.2 }, 2000, 1e-9)
  settles("sgd, momentum", "sgd", { lr = 0.1, momentum = 0.9 }, 2000, 1e-9)
  settles("sgd, Nesterov", "sgd", { lr = 0.1, momentum = 0.9, nesterov = true }, 2000, 1e-9)
  settles("sgd, dampening", "sgd", { lr = 0.1, momentum = 0.5, dampening = 0.5 }, 2000, 1e-9)
  settles("adagrad", "adagrad", { lr = 0.2 }, 4000, 1e-6)
  settles("adam", "adam", { lr = 0.01 }, 4000, 1e-4)
  settles("amsgrad", "amsgrad", { lr = 0.01 }, 4000, 1e-4)
  settles("rmsprop", "rmsprop", { lr = 0.001, eps = 1e-3 }, 8000, 1e-3)
end)
