-- What holds for every layer: derivatives, modes, copies, dtypes, state, shapes. A new layer is
-- tested the day it lands: without a case here the first test fails.

local lariat = require "lariat"
local core = lariat.core
local near = require "support.near"
local differences = require "support.differences"
local nn = lariat.nn

local function floats(...) return lariat.randn(...) end
local function ids() return lariat.tensor({ { 1, 3, 2 }, { 4, 4, 1 } }, { dtype = "int64" }) end

-- Layer: list of { expression over nn, input, [training alone or evaluation alone] }.
local cases = {
  linear = {
    { "nn.linear(3, 4)", { 5, 3 } }, { "nn.linear(3, 2, {bias = false})", { 2, 4, 3 } },
    { "nn.linear(3, 2)", { 3 } },
  },
  embedding = { { "nn.embedding(4, 3)", ids } },
  flatten = { { "nn.flatten()", { 2, 3, 2 } } },
  batch_norm = {
    { "nn.batch_norm(3)", { 6, 3 } }, { "nn.batch_norm(3, {affine = false})", { 3, 3, 2 } },
    { "nn.batch_norm(2)", { 2, 2, 2, 2 } },
  },
  layer_norm = {
    { "nn.layer_norm(4)", { 3, 4 } }, { "nn.layer_norm({2, 3})", { 3, 2, 3 } },
    { "nn.layer_norm(4, {affine = false})", { 2, 2, 4 } },
  },
  group_norm = {
    { "nn.group_norm(2, 4)", { 2, 4, 3 } },
    { "nn.group_norm(2, 4, {affine = false})", { 3, 4 } },
  },
  relu = { { "nn.relu()", { 3, 4 } } },
  leaky_relu = { { "nn.leaky_relu(0.2)", { 3, 4 } } },
  elu = { { "nn.elu(0.5)", { 3, 4 } } },
  selu = { { "nn.selu()", { 3, 4 } } },
  gelu = { { "nn.gelu()", { 3, 4 } }, { 'nn.gelu("tanh")', { 3, 4 } } },
  silu = { { "nn.silu()", { 3, 4 } } },
  tanh = { { "nn.tanh()", { 3, 4 } } },
  sigmoid = { { "nn.sigmoid()", { 3, 4 } } },
  log_sigmoid = { { "nn.log_sigmoid()", { 3, 4 } } },
  softplus = { { "nn.softplus(2)", { 3, 4 } } },
  softmax = { { "nn.softmax()", { 3, 4 } }, { "nn.softmax(1)", { 3, 4 } } },
  log_softmax = { { "nn.log_softmax()", { 3, 4 } } },
  identity = { { "nn.identity()", { 3, 4 } } },
  dropout = { { "nn.dropout(0.3)", { 6, 4 } } },
  spatial_dropout = { { "nn.spatial_dropout(0.3)", { 6, 4, 3 } } },
  alpha_dropout = { { "nn.alpha_dropout(0.3)", { 6, 4 } } },
  gaussian_noise = { { "nn.gaussian_noise(0.5)", { 6, 4 } } },
  gaussian_dropout = { { "nn.gaussian_dropout(0.3)", { 6, 4 } } },
  stochastic_depth = { { "nn.stochastic_depth(0.3)", { 12, 4 } } },
  drop_connect = { { "nn.drop_connect(3, 4, {p = 0.3})", { 5, 3 } } },
  sequential = {
    { "nn.sequential(nn.linear(3, 4), nn.tanh(), nn.linear(4, 2))", { 5, 3 } },
    { "nn.sequential()", { 5, 3 } },
  },
  residual = { { "nn.residual(nn.linear(3, 3), nn.tanh())", { 5, 3 } } },
  parallel = {
    { "nn.parallel({nn.linear(3, 2), nn.linear(3, 4)})", { 5, 3 } },
    { 'nn.parallel({nn.linear(3, 2), nn.linear(3, 2), merge = "sum"})', { 5, 3 } },
    { "nn.parallel({nn.linear(3, 2), nn.tanh(), dim = 2})", { 5, 3 } },
  },
  conv1d = {
    { "nn.conv1d(2, 3, 3)", { 2, 2, 6 } },
    { 'nn.conv1d(2, 4, 2, {padding = "same", groups = 2, bias = false})', { 3, 2, 5 } },
    { "nn.conv1d(2, 2, 3, {stride = 2, padding = 1, dilation = 2})", { 3, 2, 8 } },
  },
  conv2d = {
    { "nn.conv2d(2, 3, 2)", { 2, 2, 4, 3 } },
    { "nn.conv2d(2, 4, {3, 2}, {stride = {2, 1}, padding = 1, groups = 2})", { 2, 2, 4, 3 } },
    { 'nn.conv2d(2, 2, 2, {padding = "same", dilation = {1, 2}, bias = false})',
      { 3, 2, 3, 4 } },
  },
  conv_transpose2d = {
    { "nn.conv_transpose2d(2, 3, 2)", { 2, 2, 2, 3 } },
    { "nn.conv_transpose2d(2, 4, {2, 3}, {stride = 2, padding = {0, 1}, "
      .. "output_padding = {1, 0}, groups = 2})", { 3, 2, 3, 2 } },
  },
  max_pool2d = {
    { "nn.max_pool2d(2)", { 2, 2, 4, 5 } },
    { "nn.max_pool2d({3, 2}, {stride = {2, 1}, padding = 1})", { 3, 2, 4, 3 } },
  },
  avg_pool2d = {
    { "nn.avg_pool2d(2)", { 2, 2, 4, 5 } },
    { "nn.avg_pool2d(3, {stride = 1, padding = 1, count_include_pad = false})",
      { 3, 2, 3, 4 } },
  },
  adaptive_avg_pool2d = { { "nn.adaptive_avg_pool2d({2, 3})", { 2, 2, 5, 4 } } },
  adaptive_max_pool2d = { { "nn.adaptive_max_pool2d(2)", { 2, 2, 5, 4 } } },
  global_avg_pool = {
    { "nn.global_avg_pool()", { 2, 3, 2, 3 } }, { "nn.global_avg_pool()", { 2, 3, 4 } },
  },
  weight_norm = { { "nn.weight_norm(nn.linear(3, 4))", { 5, 3 } } },
  spectral_norm = { { "nn.spectral_norm(nn.linear(3, 4))", { 5, 3 }, fixed = "eval" } },
}

-- These are the input itself in evaluation.
local silent = {
  dropout = true, spatial_dropout = true, alpha_dropout = true, gaussian_noise = true,
  gaussian_dropout = true, stochastic_depth = true, identity = true,
}

-- These differ in training, by chance or by a state that moves.
local draws = {
  dropout = true, spatial_dropout = true, alpha_dropout = true, gaussian_noise = true,
  gaussian_dropout = true, stochastic_depth = true, drop_connect = true,
}
local moves = { batch_norm = true, spectral_norm = true }

local function build(case)
  lariat.seed(7)
  local net = load("local nn = ...; return " .. case[1])(nn)
  local x = type(case[2]) == "function" and case[2]() or floats(table.unpack(case[2]))
  return net, x
end

local function parameters(net)
  local list = {}
  for _, p in net:parameters() do list[#list + 1] = p end
  return list
end

-- The same draws at each call.
local function forward(net, x)
  lariat.seed(11)
  return net(x)
end

local function check_derivatives(case, mode)
  local net, x = build(case)
  net[mode](net)
  local list = parameters(net)
  if x.dtype == "float64" then table.insert(list, 1, x:requires_grad_()) end
  if #list == 0 then return end
  local c = (lariat.arange(forward(net, x).numel):sin() + 0.2):view(forward(net, x).shape)
  differences.check(function()
    local y = forward(net, x)
    return (c * y * (1 + y / 2)):sum()
  end, list)
end

local function check_modes(name, case)
  local net, x = build(case)
  local eval = net:eval()(x)
  assert.is_false(net.training)
  near.check(net(x), near.plain(eval), { what = "again in evaluation" })
  if silent[name] then near.check(eval, near.plain(x), { what = "evaluation" }) end
  net:train()
  assert.is_true(net.training)
  local one, two = forward(net, x), net(x)
  if draws[name] then
    assert.is_true((one - two):abs():max():item() > 0, "two draws are the same")
    near.check(forward(net, x), near.plain(one), { what = "the same seed" })
  elseif not moves[name] then
    near.check(one, near.plain(eval), { what = "training" })
  end
end

local function check_clone(case)
  local net, x = build(case)
  local copy = net:clone()
  local before = forward(net, x)
  near.check(forward(copy, x), near.plain(before), { what = "clone" })
  assert.equal(net:signature(), copy:signature())
  before = net:eval()(x)
  lariat.no_grad(function()
    for _, p in copy:parameters() do p:add_(1) end
    for _, b in copy:buffers() do b:add_(1) end
  end)
  near.check(net(x), near.plain(before), { what = "the original after a change of the clone" })
end

local function check_dtypes(case)
  local net, x = build(case)
  local y = forward(net, x)
  local single = net:clone():to("float32")
  for _, p in ipairs(parameters(single)) do assert.equal("float32", p.dtype) end
  local z = forward(single, x.dtype == "int64" and x or x:float())
  assert.equal("float32", z.dtype)
  near.check(z:double(), near.plain(y), { rel = 1e-4, abs = 1e-5, what = "float32" })
  for _, p in ipairs(parameters(single:to("float64"))) do assert.equal("float64", p.dtype) end
end

local function check_state(case)
  local net, x = build(case)
  net:eval()
  local state, before = net:state(), net(x)
  lariat.no_grad(function()
    for _, p in net:parameters() do p:mul_(-1) end
    for _, b in net:buffers() do b:add_(1) end
  end)
  net:load_state(state)
  near.check(net(x), near.plain(before), { rel = 0, abs = 0, what = "state" })
end

local function check_shape(case)
  local net, x = build(case)
  local shape = net(x).shape
  assert.same(shape, net:output_shape(x.shape))
  if x.ndim < 2 then return end
  local unknown = x.shape
  unknown[1], shape[1] = -1, -1
  assert.same(shape, net:output_shape(unknown))
end

local function check_layout(case)
  local net, x = build(case)
  if x.ndim < 2 then return end
  local odd = x:transpose(1, 2):contiguous():transpose(1, 2)
  assert.is_false(odd:is_contiguous())
  near.check(forward(net, odd), near.plain(forward(net, x)), { what = "transposed input" })
end

describe("layers:", function()
  local before
  setup(function()
    before = lariat.default_dtype()
    lariat.default_dtype("float64")
  end)
  teardown(function() lariat.default_dtype(before) end)

  it("each has a case here, and each case a layer", function()
    for name in pairs(core.layer) do assert.is_table(cases[name], name) end
    for name in pairs(cases) do assert.is_function(core.layer[name], name) end
  end)

  for name, list in pairs(cases) do
    describe(name, function()
      for _, case in ipairs(list) do
        local label = " " .. case[1]
        for _, mode in ipairs { "train", "eval" } do
          if not case.fixed or case.fixed == mode then
            it("derivatives in " .. mode .. label, function() check_derivatives(case, mode) end)
          end
        end
        it("modes" .. label, function() check_modes(name, case) end)
        it("clone" .. label, function() check_clone(case) end)
        it("dtypes" .. label, function() check_dtypes(case) end)
        it("state" .. label, function() check_state(case) end)
        it("output shape" .. label, function() check_shape(case) end)
        it("layout of the input" .. label, function() check_layout(case) end)
        it("text makes it again" .. label, function()
          local net = build(case)
          if #net > 0 then return end
          local again = load("local nn = ...; return nn." .. net:signature())(nn)
          assert.equal(net:signature(), again:signature())
        end)
        it("prints" .. label, function()
          assert.is_truthy(tostring(build(case)):find(name, 1, true))
        end)
      end
    end)
  end
end)
