-- Every layer against PyTorch in float64: outputs, gradients, second derivatives, running
-- statistics. The figures and the command that made them: spec/fixtures/torch_layers.py.

local lariat = require "lariat"
local near = require "spec.support.near"

local cases = dofile "spec/fixtures/torch_layers.lua"
local TOLERANCE = { rel = 1e-10, abs = 1e-10 }

local function check(actual, expected, what)
  near.check(actual, expected, { rel = TOLERANCE.rel, abs = TOLERANCE.abs, what = what })
end

local function tensor(values, options)
  options = options or {}
  options.dtype = options.dtype or "float64"
  return lariat.tensor(values, options)
end

-- The layer of a case with its parameters set; the parameters and their names, in order.
local function build(case)
  local net = load("local nn = ...; return " .. case.build)(lariat.nn)
  net = net:to("float64") or net
  local params, names = {}, {}
  for name, p in net:parameters() do
    params[#params + 1], names[#names + 1] = p, name
  end
  assert.equal(#case.params, #params, "number of parameters")
  lariat.no_grad(function()
    for i, p in ipairs(params) do p:copy_(tensor(case.params[i])) end
  end)
  return net, params, names
end

-- The layer after its first forward passes, ready for x.
local function prepared(case)
  local net, params, names = build(case)
  net:train()
  for _, x in ipairs(case.warm or {}) do net(tensor(x)) end
  net[case.mode](net)
  return net, params, names
end

local function input(case)
  if case.ids then return tensor(case.x, { dtype = "int64" }) end
  return tensor(case.x, { requires_grad = true })
end

-- What the derivatives are taken in: x unless it holds ids, then the parameters.
local function variables(case, x, params)
  local list = case.ids and {} or { x }
  for _, p in ipairs(params) do list[#list + 1] = p end
  return list
end

local function objective(case, y)
  return (tensor(case.c) * y * (1 + y / 2)):sum()
end

describe("a layer agrees with PyTorch:", function()
  local before
  setup(function()
    before = lariat.default_dtype()
    lariat.default_dtype("float64")
  end)
  teardown(function() lariat.default_dtype(before) end)

  for _, case in ipairs(cases) do
    describe(case.name, function()
      it("output", function()
        local net = prepared(case)
        check(net(input(case)), case.y, "output")
      end)

      it("gradient", function()
        local net, params = prepared(case)
        local x = input(case)
        local list = variables(case, x, params)
        local g = lariat.grad(objective(case, net(x)), list)
        for i = 1, #list do check(g[i], case.grad[i], "gradient " .. i) end
      end)

      it("second derivative", function()
        local net, params = prepared(case)
        local x = input(case)
        local list = variables(case, x, params)
        local g = lariat.grad(objective(case, net(x)), list, { create_graph = true })
        local s = 0
        for i = 1, #list do s = s + (g[i] * tensor(case.v[i])):sum() end
        local h = lariat.grad(s, list)
        for i = 1, #list do check(h[i], case.hvp[i], "second derivative " .. i) end
      end)

      if case.names then
        it("names of the parameters", function()
          local _, _, names = build(case)
          assert.same(case.names, names)
        end)
      end

      if case.buffers then
        it("running statistics", function()
          local net = prepared(case)
          net(input(case))
          local found = {}
          for name, b in net:buffers() do found[name] = b end
          for name, value in pairs(case.buffers) do check(found[name], value, name) end
        end)
      end
    end)
  end

  it("backward() fills .grad with the same", function()
    for _, case in ipairs(cases) do
      if case.name == "a tanh network" then
        local net, params = prepared(case)
        local x = input(case)
        objective(case, net(x)):backward()
        check(x.grad, case.grad[1], "gradient in x")
        for i, p in ipairs(params) do check(p.grad, case.grad[i + 1], "gradient " .. i) end
      end
    end
  end)
end)
