-- Derivatives of whole networks against PyTorch in float64, to the second order, and of scalar
-- functions to the fourth. Figures and command: spec/fixtures/torch_grad.py.

local lariat = require "lariat"
local near = require "spec.support.near"

local fixture = dofile "spec/fixtures/torch_grad.lua"

local function check(actual, expected, what, rel)
  near.check(actual, expected, { rel = rel or 1e-10, abs = 1e-10, what = what })
end

local function tensor(values, requires_grad)
  return lariat.tensor(values, { dtype = "float64", requires_grad = requires_grad })
end

local function network(case)
  local net = load("local nn = ...; return " .. case.build)(lariat.nn)
  net = net:to("float64") or net
  local params = {}
  for _, p in net:parameters() do params[#params + 1] = p end
  lariat.no_grad(function()
    for i, p in ipairs(params) do p:copy_(tensor(case.params[i])) end
  end)
  return net, params
end

-- The loss of a network on x.
local function loss(case, net, x)
  local target = lariat.tensor(case.target, { dtype = case.classes and "int64" or "float64" })
  return lariat.loss[case.loss](net(x), target)
end

local function dot(list, directions)
  local s = 0
  for i, g in ipairs(list) do s = s + (g * tensor(directions[i])):sum() end
  return s
end

-- The value of a network's loss with x and the parameters it depends on.
local function setting(case)
  local net, params = network(case)
  local x = tensor(case.x, true)
  return net, x, loss(case, net, x), { x, table.unpack(params) }
end

describe("a network agrees with PyTorch:", function()
  for _, case in ipairs(fixture.networks) do
    describe(case.name, function()
      it("loss and gradient", function()
        local _, _, f, list = setting(case)
        check(f, case.value, "loss")
        local g = lariat.grad(f, list)
        for i = 1, #list do check(g[i], case.grad[i], "gradient " .. i) end
      end)

      it("Hessian times a vector, by grad of grad", function()
        local _, _, f, list = setting(case)
        local s = dot(lariat.grad(f, list, { create_graph = true }), case.v)
        local h = lariat.grad(s, list)
        for i = 1, #list do check(h[i], case.hvp[i], "hvp " .. i) end
      end)

      it("the gradient of a gradient penalty", function()
        local _, x, f, list = setting(case)
        local g = lariat.grad(f, { x }, { create_graph = true })[1]
        local penalty = (g ^ 2):sum()
        check(penalty, case.penalty, "penalty")
        local d = lariat.grad(penalty, list)
        for i, want in ipairs(case.penalty_grad) do
          check(d[i] or near.zeros(want), want, "gradient " .. i)
        end
      end)

      it("the gradient of a gradient penalty, by backward", function()
        local _, x, f, list = setting(case)
        local g = lariat.grad(f, { x }, { create_graph = true })[1]
        local penalty = (g ^ 2):sum()
        penalty:backward()
        for i, want in ipairs(case.penalty_grad) do
          check(list[i].grad or near.zeros(want), want, "gradient " .. i)
        end
      end)

      it("the Hessian in a bias, row by row", function()
        local net, params = network(case)
        local bias = params[case.bias]
        local f = loss(case, net, tensor(case.x))
        local g = lariat.grad(f, { bias }, { create_graph = true })[1]
        for j, row in ipairs(case.hessian) do
          check(lariat.grad(g:select(1, j), { bias })[1], row, "row " .. j)
        end
      end)

      it("hvp in x is grad of grad in x", function()
        local net, x = setting(case)
        local v = tensor(case.v[1])
        local function f(z) return loss(case, net, z) end
        local g = lariat.grad(f(x), { x }, { create_graph = true })[1]
        local want = lariat.grad((g * v):sum(), { x })[1]
        check(lariat.hvp(f, x, v), near.plain(want), "hvp")
      end)

      it("the Jacobian and the gradient of its norm", function()
        local net = network(case)
        local row = tensor(case.x[1], true)
        local function f(z) return net(z:view(1, -1)):view(-1) end
        check(lariat.jacobian(f, row), case.jacobian, "Jacobian")
        local y, norm = f(row), 0
        for i = 1, #case.jacobian do
          local g = lariat.grad(y:select(1, i), { row }, { create_graph = true })[1]
          norm = norm + (g ^ 2):sum()
        end
        check(norm, case.jacobian_norm, "squared norm")
        check(lariat.grad(norm, { row })[1], case.jacobian_grad, "gradient")
      end)
    end)
  end
end)

describe("four derivatives in a row agree with PyTorch:", function()
  for _, case in ipairs(fixture.thirds) do
    it(case.name, function()
      local x = tensor(case.x, true)
      local w = tensor(fixture.weights)
      local f = load("local x = ...; return " .. case.name)(x):sum()
      for order, expected in ipairs(case.d) do
        local g = lariat.grad(f, { x }, { create_graph = true })[1]
        check(g, expected, "derivative " .. order, 1e-9)
        f = (g * w):sum()
      end
    end)
  end
end)

describe("derivatives", function()
  it("add up in .grad until they are zeroed", function()
    local w = tensor({ 1, 2, 3 }, true);
    (w ^ 2):sum():backward();
    (w ^ 3):sum():backward()
    check(w.grad, { 2 + 3, 4 + 12, 6 + 27 }, "grad")
  end)

  it("of x ^ 3 by hand", function()
    local x = tensor({ 2, -1 }, true)
    local g = lariat.grad((x ^ 3):sum(), { x }, { create_graph = true })[1]
    local h = lariat.grad(g:sum(), { x }, { create_graph = true })[1]
    local t = lariat.grad(h:sum(), { x })[1]
    check(g, { 12, 3 }, "first")
    check(h, { 12, -6 }, "second")
    check(t, { 6, 6 }, "third")
  end)

  it("through a value used twice, a view and a broadcast", function()
    local x = tensor({ { 1, 2 }, { 3, 4 } }, true)
    local y = x * x[1] + x:t()
    local want = { { 2 * 1 + 3 + 1, 2 * 2 + 4 + 1 }, { 1 + 1, 2 + 1 } }
    check(lariat.grad(y:sum(), { x })[1], want, "grad")
  end)

  it("are not recorded inside no_grad nor through detach", function()
    local w = tensor({ 1, 2 }, true)
    local y = lariat.no_grad(function() return w * 2 end)
    assert.is_falsy(y.requires_grad)
    check(lariat.grad((w * w:detach()):sum(), { w })[1], { 1, 2 }, "grad")
  end)

  it("pass check_gradient when right", function()
    local x = tensor({ 0.3, -0.8, 1.1 })
    lariat.check_gradient(function(z) return (z:exp() * z:sin()):sum() end, x)
  end)
end)
