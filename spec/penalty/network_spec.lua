-- Penalties of networks: matrices, given weights, noise, activations, derivatives by inputs.
local lariat = require "lariat"
local near = require "spec.support.near"

local P, nn = lariat.penalty, lariat.nn
local F64 = { dtype = "float64" }

local function tensor(values) return lariat.tensor(values, F64) end
local function randn(...) return lariat.randn(..., F64) end

local function fails(what, fn, ...)
  local ok, why = pcall(fn, ...)
  assert.is_false(ok)
  assert.is_truthy(tostring(why):find(what, 1, true), tostring(why))
end

local function small(activation)
  return nn.sequential {
    nn.linear(3, 4), (activation or nn.sigmoid)(), nn.linear(4, 2),
  }:to "float64"
end

local function batch()
  return randn { 5, 3 }, lariat.tensor({ 1, 2, 2, 1, 2 }, { dtype = "int64" })
end

before_each(function() lariat.seed(3) end)

describe("entries without a prox", function()
  for _, entry in ipairs(P.entries()) do
    if not entry.has_prox then
      it(entry.name .. " says what it is and where it is from", function()
        for _, key in ipairs { "doc", "source", "formula" } do
          assert.is_true(#entry[key] > 3, key)
        end
        assert.is_truthy(entry.source:find "%d%d%d%d")
        assert.is_truthy(tostring(P[entry.name](0.1)):find(entry.name, 1, true))
      end)
    end
  end
end)

describe("penalties of weights as matrices", function()
  for _, name in ipairs { "orthogonal", "spectral" } do
    local pen = P[name](0.7)

    it(name .. " has the gradient of its value, for every shape", function()
      for _, shape in ipairs { { 1, 1 }, { 3, 5 }, { 5, 3 }, { 4, 3, 2, 2 }, { 6 } } do
        local w = randn(shape)
        local g, h = pen:gradient(w):reshape(w.numel), 1e-6
        for i = 1, w.numel do
          local d = lariat.zeros(w.numel, F64)
          d[i] = h
          d = d:reshape(shape)
          local slope = (pen:value(w + d) - pen:value(w - d)) / (2 * h)
          near.check(g:at(i), slope, { rel = 1e-6, abs = 1e-7 })
        end
      end
    end)

    it(name .. ": P.check, float32, strided, empty, nan", function()
      assert.is_true((P.check(pen, { quiet = true })))
      local w = randn { 6, 9 }
      near.check(pen:value(w:float()), pen:value(w), { rel = 1e-5 })
      near.check(pen:gradient(w:float()):double(), pen:gradient(w), { rel = 1e-4, abs = 1e-5 })
      near.check(pen:value(w:t()), pen:value(w:t():contiguous()), { rel = 1e-12 })
      near.check(pen:gradient(w:t()), pen:gradient(w:t():contiguous()), { rel = 1e-12 })
      assert.equal(0, pen:value(lariat.zeros(0, 3)))
      local v = pen:value(tensor { { 0 / 0, 1 } })
      assert.is_true(v ~= v)
      fails("has no prox", pen.prox, pen, w, 1)
    end)
  end

  it("orthogonal is 0 on orthonormal rows or columns", function()
    local q = lariat.linalg.qr(randn { 5, 3 })
    if type(q) == "table" then q = q.q or q[1] end
    near.check(P.orthogonal(2):value(q), 0, { abs = 1e-14 })
    near.check(P.orthogonal(2):value(q:t()), 0, { abs = 1e-14 })
    near.check(P.orthogonal(2):value(q * 2), 3 * (4 - 1) ^ 2)
  end)

  it("spectral is the largest singular value, where two are alike too", function()
    near.check(P.spectral(3):value(tensor { { 0, -4 }, { 1, 0 } }), 3 / 2 * 16)
    near.check(P.spectral():value(lariat.eye(7, F64) * 2), 2)
    local w = tensor { { 1, 0, 0 }, { 0, 1 - 1e-5, 0 }, { 0, 0, 0.3 } }
    near.check(P.spectral():value(w), 0.5, { rel = 1e-12 })
    near.check(P.spectral():gradient(w):at(1, 1), 1, { rel = 1e-9 })
    assert.equal(0, P.spectral():value(lariat.zeros(3, 2)))
    near.check(P.spectral():gradient(lariat.zeros(3, 2)), lariat.zeros(3, 2))
  end)
end)

describe("given weights", function()
  it("l2_sp keeps copies, matched by name", function()
    local net = small()
    local reg = P.l2_sp { lambda = 3, towards = net }
    assert.equal(0, reg:value(net))
    lariat.no_grad(function() net:parameter("1.weight"):add_(0.5) end)
    near.check(reg:value(net), 3 / 2 * 12 * 0.25)
    assert.equal(0, reg:on("3.*"):value(net))
    net:to "float32"
    near.check(reg:value(net), 3 / 2 * 12 * 0.25, { rel = 1e-5 })
  end)

  it("ewc weighs by the Fisher diagonal", function()
    local w = tensor { 1, 2, 3 }
    local reg = P.ewc { lambda = 2, towards = tensor { 0, 1, 1 }, fisher = tensor { 1, 2, 0 } }
    near.check(reg:value(w), 1 + 2)
    near.check(reg:gradient(w), { 2, 4, 0 })
    near.check(reg:prox(w, 0.5), { 0.5, (2 + 2) / 3, 3 })
  end)

  it("says what is missing", function()
    fails("l2_sp: towards is missing", P.l2_sp)
    fails("ewc: fisher is missing", P.ewc, { towards = 0 })
    fails("ewc: fisher of 'tensor' is negative", P.ewc, { towards = 0, fisher = -1 })
    local net = small()
    local reg = P.l2_sp { towards = { ["1.weight"] = net:parameter "1.weight" } }
    fails("penalty l2_sp on '3.weight': towards has nothing of that name; it has: 1.weight",
      reg.value, reg, net)
    local two = P.l2_sp { towards = tensor { 1, 2 } }
    fails("towards", two.value, two, tensor { 1, 2, 3 })
  end)

  it("the Fisher diagonal is the mean of squared gradients", function()
    local net = nn.linear(2, 1, { bias = false }):to "float64"
    local x, y = randn { 4, 2 }, randn { 4, 1 }
    local r = net(x):detach() - y
    local f = P.fisher(net, { x = x, y = y }, { loss = "squared" })
    near.check(f.weight, ((r * x) ^ 2):mean(1, { keepdim = true }), { rel = 1e-12 })
    f = P.fisher(net, { x = x, y = y }, { loss = "squared", samples = 2 })
    local g = (r * x) ^ 2
    near.check(f.weight, ((g[2] + g[4]) / 2):reshape(1, 2), { rel = 1e-12 })
    assert.is_true(net.training)
    fails("fisher: data must be", P.fisher, net, {})
    fails("did you mean 'samples'", P.fisher, net, { x = x, y = y }, { sample = 3 })
  end)
end)

-- Penalties of the forward pass --------------------------------------------------------------

local passes = {
  activation_l1 = function() return P.activation_l1(0.3), nn.tanh end,
  activation_l2 = function() return P.activation_l2(0.3), nn.tanh end,
  kl_sparsity = function() return P.kl_sparsity { lambda = 0.3, rho = 0.1 }, nn.sigmoid end,
  entropy = function() return P.entropy(0.3), nn.tanh end,
  jacobian = function() return P.jacobian(0.3), nn.tanh end,
  gradient = function() return P.gradient(0.3), nn.tanh end,
}

describe("penalties of the forward pass", function()
  for _, entry in ipairs(P.entries()) do
    if entry.forward then
      it(entry.name .. " has the gradient of its value, in every parameter", function()
        local pen, activation = passes[entry.name]()
        local net, x, y = small(activation), batch()
        for _, mode in ipairs { "train", "eval" } do
          net[mode](net)
          local _, extra = pen:forward(net, x, y, "cross_entropy")
          near.check(extra:item(), pen:value(net, x, y, "cross_entropy"), { rel = 1e-14 })
          for _, p in net:parameters() do p.grad = nil end
          extra:backward()
          for name, p in net:parameters() do
            local flat, h = p:detach():view(p.numel), 1e-5
            for i = 1, p.numel do
              local at = flat:at(i)
              local function value(v)
                flat[i] = v
                return pen:value(net, x, y, "cross_entropy")
              end
              local slope = (value(at + h) - value(at - h)) / (2 * h)
              flat[i] = at
              local g = p.grad and p.grad:reshape(p.numel):at(i) or 0
              near.check(g, slope, { rel = 1e-5, abs = 1e-8, what = name })
            end
          end
        end
      end)

      it(entry.name .. " is the same in float32, and with recording off", function()
        local pen, activation = passes[entry.name]()
        local net, x, y = small(activation), batch()
        local v = pen:value(net, x, y, "cross_entropy")
        lariat.no_grad(function()
          near.check(pen:value(net, x, y, "cross_entropy"), v, { rel = 1e-14 })
        end)
        net:to "float32"
        x = x:float()
        near.check(pen:value(net, x, y, "cross_entropy"), v, { rel = 1e-4 })
        near.check((2 * pen):value(net, x, y, "cross_entropy"), 2 * v, { rel = 1e-4 })
      end)
    end
  end

  it("activations: sums over units, means over samples", function()
    local net = nn.sequential { nn.linear(2, 2, { bias = false }), nn.relu() }:to "float64"
    net:parameter("1.weight"):copy_(tensor { { 1, 0 }, { 0, -1 } })
    local x = tensor { { 1, 2 }, { 3, -4 } }
    near.check(P.activation_l1(2):value(net, x), 2 * (1 + 3 + 4) / 2)
    near.check(P.activation_l2(2):value(net, x), (1 + 9 + 16) / 2)
    near.check(P.activation_l1():on("1"):value(net, x), (1 + 2 + 3 + 4) / 2)
  end)

  it("scopes are of layers: kinds, names, globs, functions", function()
    local net = nn.sequential {
      nn.linear(3, 3), nn.relu(), nn.sequential { nn.linear(3, 3), nn.tanh() }:named "deep",
    }:to "float64"
    local x = randn { 4, 3 }
    local hidden = net[1](x):relu()
    local out = net(x)
    local function l1(...) return P.activation_l1():on(...):value(net, x) end
    local a, b = hidden:abs():sum():item() / 4, out:abs():sum():item() / 4
    near.check(P.activation_l1():value(net, x), a + b)
    near.check(l1 "activation", a + b)
    near.check(l1 "relu", a)
    near.check(l1 "2", a)
    near.check(l1 "deep", b)
    near.check(l1 "deep.2", b)
    near.check(l1("2", "tanh"), a + b)
    near.check(l1 "deep.*", b + net[3][1](hidden):abs():sum():item() / 4)
    near.check(l1(function(name, t) return name == "2" and t.ndim == 2 end), a)
    fails("penalty activation_l1 on 'gelu' matches no layer; there are: 1 (linear), 2 (relu)",
      l1, "gelu")
    fails("takes no scope", function() P.entropy():on("2"):value(net, x) end)
  end)

  it("kl_sparsity is 0 where mean activations are rho", function()
    local net = nn.sequential { nn.linear(1, 2), nn.sigmoid() }:to "float64"
    net:parameter("1.weight"):zero_()
    net:parameter("1.bias"):fill_(math.log(0.2 / 0.8))
    local x = randn { 6, 1 }
    near.check(P.kl_sparsity { rho = 0.2 }:value(net, x), 0, { abs = 1e-14 })
    local kl = 0.5 * math.log(0.5 / 0.2) + 0.5 * math.log(0.5 / 0.8)
    near.check(P.kl_sparsity { rho = 0.5 }:value(net, x), 2 * kl)
    fails("it must be in [0, 1]", function() P.kl_sparsity():on("1"):value(net, x) end)
  end)

  it("entropy of even odds is log K", function()
    local net = nn.linear(2, 4):to "float64"
    for _, p in net:parameters() do p:zero_() end
    near.check(P.entropy(0.5):value(net, randn { 3, 2 }), -0.5 * math.log(4))
    net = nn.linear(2, 1):to "float64"
    for _, p in net:parameters() do p:zero_() end
    near.check(P.entropy(0.5):value(net, randn { 3, 2 }), -0.5 * math.log(2))
  end)

  it("the jacobian of a linear layer is its weight; projections estimate it", function()
    local net = nn.linear(3, 4):to "float64"
    local x = randn { 50, 3 }
    local exact = (net.weight ^ 2):sum():item()
    near.check(P.jacobian():value(net, x), exact)
    local sum = 0
    for _ = 1, 40 do sum = sum + P.jacobian { projections = 2 }:value(net, x) / 40 end
    near.check(sum, exact, { rel = 0.05 })
    fails("derivatives by x need float inputs", function()
      P.jacobian():value(nn.embedding(5, 2), lariat.tensor({ 1, 2 }, { dtype = "int64" }))
    end)
  end)

  it("gradient is that of each sample's loss", function()
    local net = nn.linear(3, 1):to "float64"
    local x, y = randn { 6, 3 }, randn { 6, 1 }
    local r = net(x):detach() - y
    near.check(P.gradient(2):value(net, x, y, "squared"),
      2 * ((r ^ 2):mean() * (net.weight ^ 2):sum()):item())
    local function own(p, t) return ((p - t) ^ 2):mean() / 2 end
    near.check(P.gradient(2):value(net, x, y, own),
      P.gradient(2):value(net, x, y, lariat.loss.squared))
  end)

  it("says what it needs", function()
    local net, x, y = small(), batch()
    fails("needs data", function() P.entropy():value(net) end)
    fails("not of a tensor", function() P.entropy():value(x) end)
    fails("not of a tensor", function() P.entropy():prox(x, 1) end)
    fails("not of a tensor", function() P.entropy():gradient(x) end)
    fails("needs the loss", function() P.gradient():value(net, x) end)
    fails("a loss needs a target", function() P.gradient():value(net, x, nil, "mse") end)
    fails("did you mean", function() P.gradient():value(net, x, y, "cros_entropy") end)
  end)

  it("forward gives prediction, penalty and loss; terms of weights are not in it", function()
    local net, x, y = small(), batch()
    local reg = P.l2(0.5) + P.activation_l1(0.1) + P.entropy(0.2)
    local pred, extra, loss = reg:forward(net, x, y, "cross_entropy")
    near.check(pred, net(x), { rel = 1e-14 })
    near.check(loss, lariat.loss.cross_entropy(net(x), y), { rel = 1e-14 })
    local terms = reg:terms(net, x)
    near.check(extra:item(), terms.activation_l1 + terms.entropy, { rel = 1e-13 })
    near.check(reg:value(net, x), terms.l2 + terms.activation_l1 + terms.entropy)
    local none
    pred, extra, none = P.l2():forward(net, x)
    assert.same({ 5, 2 }, pred.shape)
    assert.equal(0, extra:item())
    assert.is_nil(none)
  end)

  it("a step by hand that left it out is an error", function()
    local net, x, y = small(), batch()
    local reg = P.activation_l1(0.1) + P.l1(0.01)
    local opt = lariat.optim.sgd(net, { lr = 0.1, penalty = reg })
    lariat.loss.cross_entropy(net(x), y):backward()
    fails("penalty activation_l1 is of the forward pass: add to the loss", opt.step, opt)
    local _, extra, loss = reg:forward(net, x, y, "cross_entropy")
    opt:zero_grad();
    (loss + extra):backward()
    opt:step()
    fails("is of the forward pass", opt.step, opt)
  end)

  it("layers written in Lua are seen", function()
    local net = nn.sequential { nn.linear(3, 2), function(v) return v ^ 2 end }:to "float64"
    local x = randn { 4, 3 }
    near.check(P.activation_l1():on("function"):value(net, x), (net(x)):sum():item() / 4)
  end)
end)

describe("in place", function()
  it("prox_ overwrites, gradient adds to a tensor", function()
    local pen = P.l1(0.5) + P.l2(0.2)
    local w = tensor { 1, -2, 0.1 }
    local u, g = pen:prox(w, 0.5), lariat.ones(3, F64)
    assert.equal(g, pen:gradient(w, g))
    near.check(g, pen:gradient(w) + 1)
    local same = pen:prox_(w, 0.5)
    assert.equal(w, same)
    near.check(w, u, { rel = 0 })
    fails("gradient: the tensor to add to must be contiguous", pen.gradient, pen, w,
      lariat.ones(2, F64))
  end)
end)

describe("weight noise", function()
  it("is on the weights in training only, and its gradient is at the noisy point", function()
    local net, x = nn.linear(3, 2):to "float64", randn { 4, 3 }
    local reg = P.weight_noise(0.3)
    local before = net.weight:detach():clone()
    local a, b = reg:forward(net, x), reg:forward(net, x)
    assert.is_true((a - b):abs():max():item() > 1e-3)
    near.check(net.weight, before, { rel = 0 })
    assert.equal(0, reg:value(net, x))
    net:eval()
    near.check(reg:forward(net, x), net(x), { rel = 0 })
    net:train()
    lariat.seed(5)
    local noisy = reg:forward(net, x)
    local w = lariat.linalg.lstsq and (noisy - net.bias):detach()
    noisy:square():sum():backward()
    near.check(net.weight.grad, ((w + net.bias:detach()) * 2):t():matmul(x), { rel = 1e-10 })
  end)

  it("has the deviation it says, from lambda too, and repeats from a seed", function()
    local net = nn.linear(1, 4000, { bias = false }):to "float64"
    local x = lariat.ones(1, 1, F64)
    local d = (2 * P.weight_noise(0.3)):forward(net, x) - net(x)
    near.check(d:std():item(), 0.6, { rel = 0.05 })
    local function run()
      local m = nn.linear(2, 1):to "float64"
      for _, p in m:parameters() do p:fill_(0.5) end
      lariat.fit(m, { x = tensor { { 1, 2 }, { 3, 4 } }, y = tensor { { 1 }, { 0 } } },
        { loss = "mse", penalty = P.weight_noise(0.1), epochs = 3, seed = 4 })
      return m.weight:detach()
    end
    near.check(run(), run(), { rel = 0 })
  end)
end)
