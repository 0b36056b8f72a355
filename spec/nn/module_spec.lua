-- Models from Lua: names, identity, modes, freezing, state, prediction, print, and what they
-- say when they are used wrongly.

local lariat = require "lariat"
local near = require "support.near"
local nn = lariat.nn

local function names(net)
  local out = {}
  for name in net:parameters() do out[#out + 1] = name end
  return out
end

local function fails(pattern, fn, ...)
  local ok, message = pcall(fn, ...)
  assert.is_false(ok, "no error")
  assert.is_truthy(tostring(message):find(pattern, 1, true), message)
end

local function small()
  return nn.sequential { nn.linear(4, 3), nn.relu(), nn.dropout(0.5), nn.linear(3, 2) }
end

describe("names:", function()
  it("the place of the layer, weight before bias", function()
    assert.same({ "1.weight", "1.bias", "4.weight", "4.bias" }, names(small()))
  end)

  it("named children, and children of children", function()
    local net = nn.sequential {
      nn.linear(4, 3):named "first",
      nn.residual { nn.tanh(), nn.linear(3, 3, { bias = false }) },
    }
    assert.same({ "first.weight", "first.bias", "2.2.weight" }, names(net))
    assert.equal("first", net.first.label)
    net.first:named(nil)
    assert.same({ "1.weight", "1.bias", "2.2.weight" }, names(net))
  end)

  it("a single layer has plain ones", function()
    assert.same({ "weight", "bias" }, names(nn.linear(2, 2)))
  end)

  it("a layer used twice is listed once, and stays one in a clone", function()
    local shared = nn.linear(3, 3)
    local net = nn.sequential { shared, nn.tanh(), shared }
    assert.same({ "1.weight", "1.bias" }, names(net))
    assert.equal(12, net:num_parameters())
    local copy = net:clone()
    assert.equal(copy[1], copy[3])
    assert.is_false(copy[1] == net[1])
  end)

  it("the kind of a parameter comes with it", function()
    local kinds = {}
    for name, _, kind in nn.sequential { nn.linear(3, 3), nn.layer_norm(3) }:parameters() do
      kinds[name] = kind
    end
    assert.same({
      ["1.weight"] = "weight", ["1.bias"] = "bias", ["2.weight"] = "gain", ["2.bias"] = "bias",
    }, kinds)
  end)

  it("one parameter by its name", function()
    local net = small()
    assert.same({ 3, 4 }, net:parameter("1.weight").shape)
    assert.equal(net:parameter "1.weight", net[1].weight)
    fails("no parameter '2.weight'; there are 1.weight (3, 4), 1.bias (3), 4.weight (2, 3)",
      net.parameter, net, "2.weight")
    fails("no buffer 'x'; there are none", net.buffer, net, "x")
  end)

  it("names that cannot be are refused", function()
    for _, name in ipairs { "", "a.b", "a*", "?" } do
      fails("is no name for a layer", function() nn.relu():named(name) end)
    end
    fails("digit", function() nn.relu():named "2" end)
    fails("sequential: two layers are named 'a'", function()
      nn.sequential { nn.linear(1, 1):named "a", nn.linear(1, 1):named "a" }
    end)
  end)
end)

describe("children:", function()
  it("by number, from the end, by name; the same object each time", function()
    local last = nn.linear(3, 2):named "out"
    local net = nn.sequential { nn.linear(4, 3), last }
    assert.equal(last, net[2])
    assert.equal(last, net[-1])
    assert.equal(last, net.out)
    assert.is_nil(net[3])
    assert.equal(2, #net)
    assert.is_true(rawequal(net[1], net[1]))
  end)

  it("the same object as long as the parent lives", function()
    local net = small()
    local seen = setmetatable({}, { __mode = "k" })
    seen[net[1]] = "mark"
    collectgarbage()
    collectgarbage()
    assert.equal("mark", seen[net[1]])
  end)

  it("in order, with their names", function()
    local list = {}
    local net = nn.sequential { nn.relu(), nn.tanh():named "squash" }
    for name, child in net:children() do list[#list + 1] = name .. "=" .. child.kind end
    assert.same({ "1=relu", "squash=tanh" }, list)
  end)

  it("apply calls every layer, inner ones first", function()
    local list = {}
    local net = nn.sequential { nn.residual { nn.tanh() }, nn.relu() }
    assert.equal(net, net:apply(function(m) list[#list + 1] = m.kind end))
    assert.same({ "tanh", "residual", "relu", "sequential" }, list)
  end)

  it("a plain function is a layer", function()
    local net = nn.sequential { nn.linear(2, 2), function(x) return x * 0 + 3 end }
    near.check(net(lariat.ones(1, 2)), { { 3, 3 } })
    near.check(net:clone()(lariat.ones(1, 2)), { { 3, 3 } })
  end)

  it("may be given one by one", function()
    assert.equal(2, #nn.sequential(nn.relu(), nn.tanh()))
    assert.equal("sum", nn.parallel(nn.relu(), nn.tanh(), { merge = "sum" }).merge)
  end)
end)

describe("options:", function()
  it("by position, by name, and back", function()
    local layer = nn.linear(784, 300, { bias = false, init = "kaiming_normal" })
    assert.equal(784, layer.inputs)
    assert.equal(300, layer.outputs)
    assert.is_false(layer.bias)
    assert.equal("linear(784, 300, {bias = false})", layer:signature())
    assert.equal(0.3, nn.dropout { p = 0.3 }.p)
    assert.equal("tanh", nn.gelu("tanh").approximate)
    assert.same({ 2, 3 }, nn.layer_norm({ 2, 3 }).weight.shape)
  end)

  it("numbers of a layer can be set, sizes cannot", function()
    local layer = nn.dropout(0.5)
    layer.p = 0.25
    assert.equal(0.25, layer.p)
    fails("dropout: p = 2 is outside [0, 1]", function() layer.p = 2 end)
    fails("linear: 'inputs' is fixed", function() nn.linear(2, 2).inputs = 3 end)
    fails("use copy_", function() nn.linear(2, 2).weight = lariat.ones(2, 2) end)
    fails("dropout has no 'q' to set", function() layer.q = 1 end)
    fails("dropout has no 'q'", function() return layer.q end)
    fails("use train() and eval()", function() layer.training = false end)
  end)

  local wrong = {
    { "linear: outputs is missing", function() nn.linear(3) end },
    { "linear: inputs is missing", function() nn.linear() end },
    { "linear: unknown key 'bais'; did you mean 'bias'?",
      function() nn.linear(3, 4, { bais = false }) end },
    { "linear: inputs = 2.5 must be a whole number", function() nn.linear(2.5, 4) end },
    { "linear: inputs = -1 is outside", function() nn.linear(-1, 4) end },
    { "linear: inputs = 'a' must be a number", function() nn.linear("a", 4) end },
    { "linear: argument 4 is one too many", function() nn.linear(3, 4, {}, 5) end },
    { "linear: unknown initialiser 'xavier_norm'; did you mean 'xavier_normal'?",
      function() nn.linear(3, 4, { init = "xavier_norm" }) end },
    { "linear: init is the name of an initialiser, not a number",
      function() nn.linear(3, 4, { init = 3 }) end },
    { "relu: unknown key 'p'; it takes none", function() nn.relu { p = 1 } end },
    { "dropout: p = 1.5 is outside [0, 1]", function() nn.dropout(1.5) end },
    { "alpha_dropout: p = 1 is outside", function() nn.alpha_dropout(1) end },
    { "gelu: approximate = 'tan' must be one of none|tanh", function() nn.gelu "tan" end },
    { "layer_norm: more than 4 sizes", function() nn.layer_norm { 1, 2, 3, 4, 5 } end },
    { "group_norm: 5 channels do not divide into 2 groups",
      function() nn.group_norm(2, 5) end },
    { "sequential: item 2 of the list is a number, not a layer",
      function() nn.sequential { nn.relu(), 5 } end },
    { "sequential: unknown key 'merge'", function() nn.sequential { merge = "sum" } end },
    { "parallel: there are no branches", function() nn.parallel {} end },
    { "weight_norm: a relu has no matrix 'weight'", function() nn.weight_norm(nn.relu()) end },
    { "weight_norm: takes one layer, not 0", function() nn.weight_norm() end },
    { "lariat.nn has no 'liner'; did you mean 'linear'?", function() nn.liner(3, 4) end },
  }
  for _, case in ipairs(wrong) do
    it(case[1], function() fails(case[1], case[2]) end)
  end

  it("an error names the line that made it", function()
    fails("module_spec.lua", function() nn.linear(3) end)
  end)
end)

describe("inputs that do not fit:", function()
  local int = { dtype = "int64" }
  local wrong = {
    { "linear: input (32, 10) has 10 features, the layer takes 784", nn.linear(784, 3),
      lariat.ones(32, 10) },
    { 'linear (layer "1"): input (32, 10) has 10 features, the layer takes 4', small(),
      lariat.ones(32, 10) },
    { 'linear (layer "block.2"): input (2, 3) has 3 features, the layer takes 5',
      nn.sequential {
        nn.linear(4, 3), nn.residual { nn.tanh(), nn.linear(5, 5) }:named "block",
      }, lariat.ones(2, 4) },
    { "embedding: id 7 in row 2 is not in 1..6", nn.embedding(6, 3),
      lariat.tensor({ { 1, 6 }, { 2, 7 } }, int) },
    { "embedding: id 0 in row 1 is not in 1..6", nn.embedding(6, 3),
      lariat.tensor({ 0 }, int) },
    { "embedding: input (2) is float32; ids are int64", nn.embedding(6, 3), lariat.ones(2) },
    { "batch_norm: input (1, 3) has one value a channel", nn.batch_norm(3),
      lariat.ones(1, 3) },
    { "batch_norm: input (2, 4) does not have 3 channels", nn.batch_norm(3),
      lariat.ones(2, 4) },
    { "layer_norm: input (2, 3) does not end in (4)", nn.layer_norm(4), lariat.ones(2, 3) },
    { "group_norm: input (2, 3) does not have 4 channels", nn.group_norm(2, 4),
      lariat.ones(2, 3) },
    { "residual: the branch makes (2, 3) out of (2, 4)", nn.residual { nn.linear(4, 3) },
      lariat.ones(2, 4) },
    { "parallel: branch 1 makes (2, 3) and branch 2 (2, 1)",
      nn.parallel { nn.linear(4, 3), nn.linear(4, 1), merge = "sum" }, lariat.ones(2, 4) },
    { "softmax: dimension 3", nn.softmax(3), lariat.ones(2, 4) },
    { "linear: the input must be a tensor, not table", nn.linear(2, 2), { 1, 2 } },
  }
  for _, case in ipairs(wrong) do
    it(case[1], function() fails(case[1], case[2], case[3]) end)
  end

  it("leave running statistics as they were", function()
    local layer = nn.batch_norm(3)
    local before = layer:state()
    pcall(layer, lariat.ones(1, 3))
    near.check(layer.running_mean, near.plain(before.running_mean))
    near.check(layer.running_var, near.plain(before.running_var))
  end)
end)

describe("modes:", function()
  it("reach every layer inside", function()
    local net = nn.sequential { nn.residual { nn.dropout() } }
    assert.is_true(net.training and net[1][1].training)
    assert.equal(net, net:eval())
    assert.is_false(net.training or net[1].training or net[1][1].training)
    net:train()
    assert.is_true(net[1][1].training)
    net:train(false)
    assert.is_false(net[1][1].training)
  end)

  it("predict evaluates, records nothing, and puts every mode back", function()
    local net = nn.sequential { nn.linear(4, 4), nn.dropout(0.5), nn.batch_norm(4):eval() }
    local x = lariat.randn(10, 4)
    local y = net:predict(x)
    assert.is_false(y.requires_grad)
    near.check(y, near.plain(net:predict(x)))
    assert.is_true(net.training and net[1].training and net[2].training)
    assert.is_false(net[3].training)
    fails("features", net.predict, net, lariat.ones(2, 3))
    assert.is_true(net[2].training)
    assert.is_false(net[3].training)
  end)

  it("predict goes in batches", function()
    local sizes = {}
    local net = nn.sequential { nn.linear(4, 2), function(x)
      sizes[#sizes + 1] = x.shape[1]
      return x
    end }
    local x = lariat.randn(10, 4)
    local y = net:predict(x, { batch_size = 4 })
    assert.same({ 4, 4, 2 }, sizes)
    near.check(y, near.plain(net:predict(x)), { rel = 1e-6, abs = 1e-6 })
    assert.same({ 0, 2 }, net:predict(lariat.zeros(0, 4)).shape)
    fails("predict: unknown key 'batchsize'; did you mean 'batch_size'?", net.predict, net, x,
      { batchsize = 3 })
    fails("predict: a tensor is expected, not a number", net.predict, net, 3)
  end)
end)

describe("freezing:", function()
  local function frozen(net)
    local out = {}
    for name, p in net:parameters() do
      if not p.requires_grad then out[#out + 1] = name end
    end
    return out
  end

  it("by a glob, a list, or all", function()
    local net = small()
    assert.equal(net, net:freeze "1.*")
    assert.same({ "1.weight", "1.bias" }, frozen(net))
    assert.equal(8, net:num_parameters(true))
    assert.equal(23, net:num_parameters())
    net:unfreeze()
    assert.same({}, frozen(net))
    net:freeze { "*.bias", "4.weight" }
    assert.same({ "1.bias", "4.weight", "4.bias" }, frozen(net))
    net:freeze()
    assert.equal(0, net:num_parameters(true))
    net:unfreeze "4.*"
    assert.same({ "1.weight", "1.bias" }, frozen(net))
  end)

  it("what is frozen gets no gradient", function()
    local net = small():eval()
    net:freeze "1.*"
    net(lariat.randn(5, 4)):sum():backward()
    assert.is_nil(net[1].weight.grad)
    assert.is_truthy(net[4].weight.grad)
    assert.equal(net, net:zero_grad())
    assert.is_nil(net[4].weight.grad)
  end)

  it("a clone is frozen where the original is", function()
    assert.same({ "1.weight", "1.bias" }, frozen(small():freeze("1.*"):clone()))
  end)

  it("a glob that matches nothing lists what there is", function()
    fails("freeze: '2.*' matches no parameter; there are 1.weight, 1.bias, 4.weight, 4.bias",
      function() small():freeze "2.*" end)
    fails("a glob or a list of globs is expected", function() small():freeze(3) end)
  end)
end)

describe("dtype:", function()
  it("to keeps parameters the same objects", function()
    local net = nn.sequential { nn.linear(3, 2), nn.batch_norm(2) }
    local w, mean = net[1].weight, net[2].running_mean
    local y = net:eval()(lariat.ones(2, 3))
    assert.equal(net, net:to "float64")
    assert.equal("float64", w.dtype)
    assert.equal("float64", mean.dtype)
    assert.equal(w, net[1].weight)
    near.check(net(lariat.ones(2, 3, { dtype = "float64" })), near.plain(y),
      { rel = 1e-6, abs = 1e-6 })
    fails("parameters cannot be int64", net.to, net, "int64")
  end)

  it("a recorded pass that to overtakes is told", function()
    local net = nn.linear(3, 2)
    local y = net(lariat.ones(2, 3, { requires_grad = true })):sum()
    net:to "float64"
    fails("changed in place", y.backward, y)
  end)

  it("new layers take the default dtype", function()
    lariat.default_dtype "float64"
    local layer = nn.linear(2, 2)
    lariat.default_dtype "float32"
    assert.equal("float64", layer.weight.dtype)
  end)

  it("the same seed starts float32 and float64 alike", function()
    lariat.seed(3)
    local a = nn.linear(5, 4)
    lariat.default_dtype "float64"
    lariat.seed(3)
    local b = nn.linear(5, 4)
    lariat.default_dtype "float32"
    near.check(b.weight, near.plain(a.weight), { rel = 1e-6, abs = 1e-7 })
  end)
end)

describe("state:", function()
  it("is a copy of parameters and buffers", function()
    local net = nn.sequential { nn.linear(2, 3), nn.batch_norm(3) }
    local state = net:state()
    local n = 0
    for _ in pairs(state) do n = n + 1 end
    assert.equal(6, n)
    assert.is_false(state["1.weight"].requires_grad)
    lariat.no_grad(function() net[1].weight:zero_() end)
    assert.is_true(state["1.weight"]:abs():max():item() > 0)
    net:load_state(state)
    near.check(net[1].weight, near.plain(state["1.weight"]))
  end)

  it("changes nothing unless all of it fits", function()
    local net = nn.linear(2, 3)
    local before = near.plain(net.weight)
    local state = net:state()
    state.weight = state.weight + 1
    state.bias = lariat.ones(4)
    fails("load_state: 'bias' has shape (4), the model's has (3)", net.load_state, net, state)
    state.bias = nil
    fails("load_state: 'bias' is missing", net.load_state, net, state)
    state = net:state()
    state.wieght = state.weight
    fails("load_state: unknown name 'wieght'; did you mean 'weight'?", net.load_state, net,
      state)
    fails("load_state: a table name -> tensor is expected", net.load_state, net, 3)
    near.check(net.weight, before)
  end)

  it("running statistics count unbiased variance, by momentum", function()
    local layer = nn.batch_norm(1, { momentum = 0.5 })
    layer(lariat.tensor { { 1 }, { 3 } })
    near.check(layer.running_mean, { 1 })
    near.check(layer.running_var, { 1.5 })
  end)
end)

describe("print:", function()
  it("a line a layer: output shapes, counts, bytes, frozen", function()
    local net = nn.sequential {
      nn.linear(784, 300), nn.relu(), nn.residual { nn.layer_norm(300) }:named "norm",
      nn.linear(300, 10),
    }
    net:freeze "1.*"
    local lines = {}
    for line in tostring(net):gmatch "[^\n]+" do lines[#lines + 1] = line:gsub("  +", "  ") end
    assert.same({
      "layer  output  parameters  bytes",
      "sequential  (n, 10)",
      "1  linear(784, 300)  (n, 300)  235,500  942,000  frozen",
      "2  relu  (n, 300)",
      "norm  residual  (n, 300)",
      "  1  layer_norm(300)  (n, 300)  600  2,400",
      "4  linear(300, 10)  (n, 10)  3,010  12,040",
      "239,110 parameters (235,500 frozen), 956,440 bytes",
    }, lines)
  end)

  it("says ? where a size is not known yet", function()
    local text = tostring(nn.sequential { nn.relu(), nn.flatten(), nn.linear(4, 2) })
    assert.is_truthy(text:find "relu +%?")
    assert.is_truthy(text:find "linear%(4, 2%) +%(n, 2%)")
  end)
end)

describe("wrappers:", function()
  it("weight_norm changes nothing at the start, and scales rows after", function()
    local layer = nn.linear(3, 2)
    local x = lariat.randn(4, 3)
    local y = layer(x)
    local wrapped = nn.weight_norm(layer)
    near.check(wrapped(x), near.plain(y), { rel = 1e-5, abs = 1e-6 })
    assert.same({ "gain", "1.weight", "1.bias" }, names(wrapped))
    assert.same({ 2, 1 }, wrapped.gain.shape)
    local w = near.plain(layer.weight)
    lariat.no_grad(function() layer.weight:mul_(5) end)
    near.check(wrapped(x), near.plain(y), { rel = 1e-5, abs = 1e-5 })
    lariat.no_grad(function() layer.weight:copy_(lariat.tensor(w)) end)
    near.check(layer(x), near.plain(y))
  end)

  it("spectral_norm makes the largest singular value 1", function()
    lariat.seed(4)
    local layer = nn.linear(6, 5)
    local wrapped = nn.spectral_norm(layer, { rounds = 50 })
    wrapped(lariat.ones(1, 6))
    local _, sigma = lariat.linalg.svd(layer.weight:detach())
    local u, v = wrapped.left, wrapped.right
    near.check(u:dot(layer.weight:detach():mv(v)), sigma[1], { rel = 1e-4 })
    local eye = lariat.eye(6)
    local images = wrapped:eval()(eye) - layer.bias
    local scale = images:detach():norm() / layer.weight:detach():norm()
    local largest = u:dot(layer.weight:detach():mv(v))
    near.check(scale * largest, 1, { rel = 1e-4 })
  end)
end)
