-- Fail allocation 0, 1, 2 ... until success, for the constructor, the forward pass, the
-- derivative and the methods of every layer, and for every loss: each failure is a Lua error,
-- and nothing that was allocated on the way stays.
local lariat = require "lariat"
local core = lariat.core
local nn = lariat.nn

local MOST = 5000 -- allocations of one job

-- What is left when all garbage is gone. Most of it is young: a collection of the young alone
-- spares a walk over all that the specs have loaded.
local function live(expected)
  collectgarbage "step"
  if core.mem_live() ~= expected then
    collectgarbage()
    collectgarbage()
  end
  return (core.mem_live())
end

-- Run the job with allocation n failing, for every n that it reaches. reset: forgets what a
-- broken job may leave by right, such as the gradients of some parameters.
local function starve(job, reset)
  job() -- what is made once and kept is made here
  local before = live()
  for n = 0, MOST do
    core.mem_fail_after(n)
    local ok, message = pcall(job)
    core.mem_fail_after(-1)
    if not ok then
      message = tostring(message)
      assert.is_truthy(message:find "out of memory", message)
    end
    if reset then reset() end
    local after = live(before)
    if before ~= after then
      error(("allocation %d failed: %d blocks before, %d after"):format(n, before, after))
    end
    if ok then return n end
  end
  error "more allocations than expected"
end

local makers = {
  linear = function() return nn.linear(3, 4, { init = "orthogonal" }) end,
  embedding = function() return nn.embedding(4, 3) end,
  batch_norm = function() return nn.batch_norm(3) end,
  layer_norm = function() return nn.layer_norm(3) end,
  group_norm = function() return nn.group_norm(1, 3) end,
  drop_connect = function() return nn.drop_connect(3, 4) end,
  residual = function() return nn.residual { nn.linear(3, 3):named "inner", nn.tanh() } end,
  parallel = function() return nn.parallel { nn.linear(3, 2), nn.relu() } end,
  sequential = function()
    return nn.sequential { nn.linear(3, 2), nn.dropout(), function(x) return x * 2 end }
  end,
  weight_norm = function() return nn.weight_norm(nn.linear(3, 2)) end,
  spectral_norm = function() return nn.spectral_norm(nn.linear(3, 2)) end,
  conv1d = function() return nn.conv1d(2, 2, 2) end,
  conv2d = function() return nn.conv2d(2, 2, 2, { stride = { 1, 2 }, padding = 1 }) end,
  conv_transpose2d = function() return nn.conv_transpose2d(2, 2, 2) end,
  max_pool2d = function() return nn.max_pool2d(2) end,
  avg_pool2d = function() return nn.avg_pool2d(2) end,
  adaptive_avg_pool2d = function() return nn.adaptive_avg_pool2d(2) end,
  adaptive_max_pool2d = function() return nn.adaptive_max_pool2d(2) end,
  ["a layer in Lua"] = function()
    return nn.module {
      name = "gate", params = { scale = lariat.ones(3) }, buffers = { b = lariat.zeros(3) },
      forward = function(self, x) return x * self.scale:sigmoid() + self.b end,
    }
  end,
}
for name, make in pairs(core.layer) do makers[name] = makers[name] or make end

local function input(name)
  if name == "embedding" then return lariat.tensor({ 1, 4, 4 }, { dtype = "int64" }) end
  if name == "conv1d" or name == "global_avg_pool" then return lariat.randn(4, 2, 3) end
  if name:find "2d$" then return lariat.randn(4, 2, 3, 3) end
  return lariat.randn(4, 3)
end

describe("with an allocation that fails:", function()
  local mode
  setup(function() mode = collectgarbage "generational" end)
  teardown(function() collectgarbage(mode) end)

  for name, make in pairs(makers) do
    it(name, function()
      local x = input(name)
      starve(function()
        local net = make()
        net(x)
      end)
    end)

    it(name .. ": forward, backward, copies", function()
      local net, x = make(), input(name)
      if x.dtype ~= "int64" then x:requires_grad_() end
      starve(function()
        local y = net(x)
        if y.requires_grad then y:sum():backward() end
        net:zero_grad()
        net:clone():to "float64"
        net:predict(x:detach(), { batch_size = 3 })
        net:load_state(net:state())
        tostring(net)
        x.grad = nil
      end, function()
        net:zero_grad()
        x.grad = nil
      end)
    end)
  end
end)

describe("with an allocation that fails, a loss:", function()
  local mode
  setup(function() mode = collectgarbage "generational" end)
  teardown(function() collectgarbage(mode) end)

  local z = lariat.randn(4, 3):requires_grad_()
  local labels = lariat.tensor({ 1, 3, 2, 2 }, { dtype = "int64" })
  local by_label = { cross_entropy = true, nll = true, multi_margin = true, focal = true }
  for name in pairs(core.loss) do
    it(name, function()
      local target = by_label[name] and labels or lariat.ones(4, 3)
      starve(function()
        local loss = lariat.loss[name] { reduction = "sum" }
        loss(z, target, { weight = { 1, 2, 3, 4 }, reduction = "mean" }):backward()
        z.grad = nil
        lariat.loss[name](z, target)
        tostring(loss)
      end, function() z.grad = nil end)
    end)
  end
end)
