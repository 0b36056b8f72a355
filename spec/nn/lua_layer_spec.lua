-- Layers written in Lua: parameters, children, fields, modes, copies, errors, and that nothing
-- keeps them alive.

local lariat = require "lariat"
local core = lariat.core
local near = require "support.near"
local differences = require "support.differences"
local nn = lariat.nn

local function fails(pattern, fn, ...)
  local ok, message = pcall(fn, ...)
  assert.is_false(ok, "no error")
  assert.is_truthy(tostring(message):find(pattern, 1, true), message)
  return message
end

local function gate(n)
  return nn.module {
    name = "gate",
    params = { scale = lariat.ones(n), shift = lariat.zeros(n) },
    kinds = { scale = "gain", shift = "bias" },
    forward = function(self, x) return x * self.scale:sigmoid() + self.shift end,
  }
end

describe("a layer in Lua:", function()
  it("has parameters in the order of their names, with their kinds", function()
    local list = {}
    for name, p, kind in nn.sequential { nn.relu(), gate(3) }:parameters() do
      list[#list + 1] = name .. " " .. kind
      assert.is_true(p.requires_grad)
    end
    assert.same({ "2.scale gain", "2.shift bias" }, list)
  end)

  it("takes the tensor itself as its parameter", function()
    local w = lariat.ones(3)
    local layer = nn.module { params = { w = w }, forward = function(self, x)
      return x * self.w
    end }
    assert.equal(w, layer.w)
    assert.is_true(w.requires_grad)
    assert.equal(w, layer:parameter "w")
  end)

  it("is trained like any other", function()
    lariat.seed(1)
    local net = nn.sequential { nn.linear(3, 3), nn.tanh(), gate(3), nn.linear(3, 1) }
    net:to "float64"
    local x = lariat.randn(5, 3, { dtype = "float64" }):requires_grad_()
    local list = { x }
    for _, p in net:parameters() do list[#list + 1] = p end
    differences.check(function() return (net(x) ^ 2):sum() end, list)
  end)

  it("sees its mode, its children and its fields", function()
    local layer = nn.module {
      children = { nn.linear(2, 2), nn.tanh():named "squash" },
      buffers = { count = lariat.zeros(1) },
      factor = 3,
      helper = function(self, x) return x * self.factor end,
      forward = function(self, x)
        if self.training then self.count:add_(1) end
        self.last = x
        return self:helper(self.squash(self[1](x)))
      end,
    }
    local x = lariat.ones(1, 2)
    local y = layer(x)
    near.check(y, near.plain(layer[1](x):tanh() * 3))
    assert.equal(x, layer.last)
    near.check(layer.count, { 1 })
    layer:eval()(x)
    near.check(layer.count, { 1 })
    layer.factor = 5
    near.check(layer(x), near.plain(layer[1](x):tanh() * 5))
    assert.is_nil(layer.nothing)
    local names = {}
    for name in layer:parameters() do names[#names + 1] = name end
    assert.same({ "1.weight", "1.bias" }, names)
    names = {}
    for name in layer:buffers() do names[#names + 1] = name end
    assert.same({ "count" }, names)
  end)

  it("has the methods of models", function()
    local layer = gate(3):to "float64"
    assert.equal("float64", layer.scale.dtype)
    assert.equal(6, layer:num_parameters())
    layer:freeze "scale"
    assert.equal(3, layer:num_parameters(true))
    local state = layer:state()
    lariat.no_grad(function() layer.scale:zero_() end)
    layer:load_state(state)
    near.check(layer.scale, { 1, 1, 1 })
    assert.is_false(layer:predict(lariat.ones(2, 3)).requires_grad)
    assert.is_truthy(tostring(layer):find "gate")
    assert.equal("gate", layer.kind)
  end)

  it("clones with parameters and fields of its own", function()
    local layer = gate(2)
    layer.note = "first"
    local copy = nn.sequential { layer }:clone()[1]
    assert.is_false(copy == layer)
    assert.equal("first", copy.note)
    copy.note = "second"
    assert.equal("first", layer.note)
    lariat.no_grad(function() copy.shift:add_(1) end)
    near.check(layer.shift, { 0, 0 })
    near.check(copy(lariat.zeros(1, 2)), { { 1, 1 } })
  end)

  it("has a forward that may run in a coroutine, and may use another model", function()
    local other = nn.linear(2, 2)
    local layer = nn.module { forward = function(_, x)
      return coroutine.wrap(function() return other(x) end)()
    end }
    local x = lariat.ones(1, 2)
    near.check(layer(x), near.plain(other(x)))
    local run = coroutine.wrap(function() return nn.sequential { layer }(x) end)
    near.check(run(), near.plain(other(x)))
  end)

  it("has an output of unknown shape", function()
    assert.is_nil(gate(3):output_shape { 2, 3 })
  end)
end)

describe("a layer in Lua that fails:", function()
  local x = lariat.ones(2, 3)
  local function broken(forward) return nn.sequential { nn.relu(), nn.module {
    name = "broken", forward = forward,
  } } end

  it("gives the original error", function()
    local object = { code = 7 }
    local ok, err = pcall(broken(function() error(object) end), x)
    assert.is_false(ok)
    assert.equal(object, err)
    fails("lua_layer_spec.lua", broken(function() error "inner trouble" end), x)
    fails("inner trouble", broken(function() error "inner trouble" end), x)
  end)

  it("names the op and the line at fault inside", function()
    local message = fails("mul: ", broken(function(_, v) return v * lariat.ones(5) end), x)
    assert.is_truthy(message:find "lua_layer_spec.lua:%d+:")
  end)

  it("says what it returned instead of a tensor", function()
    fails('broken (layer "2"): forward returned nil, not a tensor',
      broken(function() end), x)
    fails('broken (layer "2"): forward returned a table, not a tensor',
      broken(function() return {} end), x)
  end)

  it("works afterwards, modes as before", function()
    local fail = true
    local net = broken(function(_, v)
      if fail then error "once" end
      return v
    end)
    fails("once", net.predict, net, x)
    assert.is_true(net.training)
    fail = false
    near.check(net(x), near.plain(x))
  end)

  local nothing = function(_, v) return v end
  local wrong = {
    { "nn.module: forward is missing", {} },
    { "nn.module: a table with a forward is expected, not a number", 3 },
    { "nn.module: params.w is a number, not a tensor",
      { params = { w = 1 }, forward = nothing } },
    { "nn.module: params.w is int64; parameters are float tensors",
      { params = { w = lariat.ones(2):long() }, forward = nothing } },
    { "nn.module: params.w is the result of a computation",
      { params = { w = lariat.ones(2, { requires_grad = true }) * 2 }, forward = nothing } },
    { "nn.module: 'train' in params is already", {
      params = { train = lariat.ones(2) }, forward = nothing } },
    { "nn.module: params has a key a.b", {
      params = { ["a.b"] = lariat.ones(2) }, forward = nothing } },
    { "nn.module: kinds.w = weigth", {
      params = { w = lariat.ones(2) }, kinds = { w = "weigth" }, forward = nothing } },
    { "nn.module: name must be a string", { name = 3, forward = nothing } },
    { "nn.module: buffers.b is a number", { buffers = { b = 3 }, forward = nothing } },
    { "module: item 1 of the list is a number, not a layer",
      { children = { 3 }, forward = nothing } },
  }
  for _, case in ipairs(wrong) do
    it(case[1], function() fails(case[1], nn.module, case[2]) end)
  end
end)

describe("nothing keeps a dropped model:", function()
  local function live()
    collectgarbage()
    collectgarbage()
    return (core.mem_live())
  end

  it("layers in Lua that refer to themselves and to their model", function()
    local before = live()
    do
      local net
      local layer = nn.module {
        params = { w = lariat.ones(10) },
        forward = function(self, x) return x * self.w + #net end,
      }
      layer.back = layer
      net = nn.sequential { nn.linear(10, 10), layer }
      layer.parent = net
      net(lariat.ones(2, 10)):sum():backward()
      local copy = net:clone()
      copy[2].parent = copy
    end
    assert.equal(before, live())
  end)

  it("parameters held alone, after their model is gone", function()
    local before = live()
    do
      local w = nn.sequential { nn.linear(3, 4) }[1].weight
      collectgarbage()
      assert.same({ 4, 3 }, w.shape)
    end
    assert.equal(before, live())
  end)

  it("children held alone keep working", function()
    local child
    do
      local net = nn.sequential { gate(3), nn.relu() }
      child = net[1]
    end
    collectgarbage()
    collectgarbage()
    near.check(child(lariat.zeros(1, 3)), { { 0, 0, 0 } })
  end)

  it("a container keeps what its Lua children need", function()
    local net = nn.sequential { gate(3), function(x) return x + 1 end }
    collectgarbage()
    collectgarbage()
    near.check(net(lariat.zeros(1, 3)), { { 1, 1, 1 } })
  end)
end)
