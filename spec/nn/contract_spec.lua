-- What holds for every layer: derivatives, modes, copies, dtypes, state, shapes. A new layer is
-- tested the day it lands: without a case here the first test fails.

local lariat = require "lariat"
local core = lariat.core
local near = require "support.near"
local differences = require "support.differences"
local nn = lariat.nn

local cases = dofile "spec/nn/cases.lua"

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
  local x = type(case[2]) == "function" and case[2]() or lariat.randn(table.unpack(case[2]))
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
