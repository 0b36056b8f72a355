-- A step is one pass over each parameter, cut into stretches: the same as its parts one after
-- the other, the same bits for any number of threads; and what a step does where a prox knows
-- no metric, and with penalties of the forward pass.
local lariat = require "lariat"
local near = require "spec.support.near"

local P, nn, optim = lariat.penalty, lariat.nn, lariat.optim

-- Shapes that fill several stretches and chunks, none of them evenly; rows of many lengths.
local shapes = { { 70, 301 }, { 5, 9000 }, { 513, 40 }, { 6, 5, 3, 3 }, { 1000, 17 } }

local function tensors(dtype, scale)
  local out = {}
  lariat.seed(3)
  for i, shape in ipairs(shapes) do
    out[i] = lariat.randn(shape, { dtype = dtype }) * (scale or 1)
  end
  return out
end

local function parameters(dtype)
  local out = {}
  for i, t in ipairs(tensors(dtype)) do
    out[i] = t:clone()
    out[i].requires_grad = true
  end
  return out
end

local penalties = {
  l1 = P.l1(0.3), l2 = P.l2(0.2), both = P.l2(0.2) + P.l1(0.3),
  elastic_net = P.elastic_net(0.4), mcp = P.mcp { lambda = 0.3, gamma = 30 },
  max_norm = P.max_norm(2), rows = P.group_lasso { lambda = 0.05, by = "row" },
  columns = P.group_lasso { lambda = 0.05, by = "column" },
  net_rows = P.elastic_net(0.4) + P.max_norm(2),
  net_columns = P.elastic_net(0.4) + P.group_lasso { lambda = 0.05, by = "column" },
  lq = P.l1(0.1) + P.l0(0.02), box = P.l1(0.1) + P.box { lo = -0.5, hi = 1 },
}

local function step(rule, pen, dtype, more)
  local ps, gs = parameters(dtype), tensors(dtype, 0.7)
  local o = { lr = 0.05, penalty = pen }
  for k, v in pairs(more or {}) do o[k] = v end
  local opt = optim[rule](ps, o)
  for _ = 1, 3 do
    for i, p in ipairs(ps) do p.grad = gs[i] + p:detach() * 0.1 end
    opt:step()
  end
  return ps, opt
end

describe("a step", function()
  local threads = lariat.threads()
  after_each(function() lariat.threads(threads) end)

  for name, pen in pairs(penalties) do
    it(name .. ": gradient, update, prox as one pass or one by one", function()
      for _, dtype in ipairs { "float32", "float64" } do
        local smooth = (name == "l2" or name == "both") and penalties.l2
        local sharp = name == "both" and penalties.l1 or name ~= "l2" and pen
        local fused = step("sgd", pen, dtype)
        local ps, gs = parameters(dtype), tensors(dtype, 0.7)
        for _ = 1, 3 do
          for i, p in ipairs(ps) do
            lariat.no_grad(function()
              local g = gs[i] + p:detach() * 0.1
              if smooth then g = g + smooth:gradient(p) end
              p:sub_(g * 0.05)
              if sharp then p:copy_(sharp:prox(p, 0.05)) end
            end)
          end
        end
        local tol = dtype == "float32" and 2e-6 or 1e-14
        for i, p in ipairs(ps) do
          near.check(fused[i]:detach(), p:detach(), { rel = tol, abs = tol, what = dtype })
          assert.is_true(fused[i]:eq(0):eq(p:eq(0)):all():item(), "zeros")
        end
      end
    end)

    it(name .. ": one thread or many, the same bits", function()
      for _, rule in ipairs { "sgd", "adam", "rmsprop" } do
        lariat.threads(1)
        local one, a = step(rule, pen, "float32", { ema = 0.9, clip_norm = 5 })
        lariat.threads(math.max(threads, 2))
        local many, b = step(rule, pen, "float32", { ema = 0.9, clip_norm = 5 })
        assert.equal(a.grad_norm, b.grad_norm)
        for i, p in ipairs(one) do
          assert.is_true(p:eq(many[i]):all():item(), ("%s, parameter %d"):format(rule, i))
        end
      end
    end)
  end

  it("measures the gradient's norm, clipped or not, with smooth penalties or not", function()
    local sum = 0
    for _, g in ipairs(tensors "float64") do sum = sum + (g * g):sum():item() end
    for _, o in ipairs {
      {}, { clip_norm = 1 }, { clip_value = 0.1 }, { penalty = P.l2(0.1) },
      { penalty = P.l2(0.1), clip_norm = 2 }, { penalty = P.orthogonal(0.1):on "1" },
    } do
      local ps, gs = parameters "float64", tensors "float64"
      o.lr = 0.1
      local opt = optim.sgd(ps, o)
      for i, p in ipairs(ps) do p.grad = gs[i] end
      opt:step()
      near.check(opt.grad_norm, math.sqrt(sum), { rel = 1e-12 })
    end
  end)

  it("measures the norm of gradients of any size", function()
    for _, dtype in ipairs { "float32", "float64" } do
      for _, scale in ipairs { 0, 1e-38, 1e-28, 1e-12, 1, 1e12, 1e30 } do
        local w = lariat.randn(5000, { dtype = dtype, requires_grad = true })
        w.grad = lariat.randn(5000, { dtype = dtype }) * scale
        w.grad[17] = w.grad[17] * 1e3
        local opt = optim.sgd({ w }, { lr = 0.1 })
        opt:step()
        near.check(opt.grad_norm, w.grad:to "float64":norm():item(), { rel = 1e-7 })
      end
    end
  end)

  it("moves averages with every kind of prox", function()
    for name, pen in pairs(penalties) do
      local ps, opt = step("adam", pen, "float64", { ema = 0.5 })
      local ends = {}
      for i, p in ipairs(ps) do ends[i] = p:detach():clone() end
      opt:swap_ema()
      local mean = ps[1]:detach():clone()
      opt:swap_ema()
      assert.is_true((mean - ends[1]):abs():max():item() > 1e-4, name)
      opt.lr = 1e-12 -- nothing moves any more: averages catch up
      for _ = 1, 60 do
        for _, p in ipairs(ps) do p.grad = p:detach() * 0 end
        opt:step()
      end
      opt:swap_ema()
      near.check(ps[1]:detach(), ends[1], { abs = 1e-6, what = name })
    end
  end)
end)

-- A prox that knows no metric ----------------------------------------------------------------

describe("an adaptive rule with a prox that knows no metric", function()
  local double = { dtype = "float64" }

  -- A quadratic with curvatures from 0.2 to 4: steps for each coordinate would differ much.
  local function problem(shape)
    lariat.seed(11)
    local to, scale = lariat.randn(shape, double), lariat.rand(shape, double) * 3.8 + 0.2
    return function(w) return (scale * (w - to) ^ 2):sum() / 2 end
  end

  local rules = {
    { "adam", { lr = 0.02 } }, { "amsgrad", { lr = 0.02 } }, { "adagrad", { lr = 0.5 } },
    { "adamw", { lr = 0.02, weight_decay = 0 } }, { "rmsprop", { lr = 0.01, momentum = 0.5 } },
  }
  for _, case in ipairs {
    { "slope", P.slope(0.2), { 12 } }, { "nuclear", P.nuclear(0.8), { 5, 4 } },
    { "tv1d", P.tv1d(0.4), { 12 } }, { "fused_lasso", P.fused_lasso(0.5), { 12 } },
    { "slope and l2", P.slope(0.2) + P.l2(0.3), { 12 } },
  } do
    local name, pen, shape = table.unpack(case)
    it("rests at the minimum: " .. name, function()
      for _, r in ipairs(rules) do
        local f = problem(shape)
        local w = lariat.zeros(shape, { dtype = "float64", requires_grad = true })
        local o = { penalty = pen }
        for k, v in pairs(r[2]) do o[k] = v end
        local opt = optim[r[1]]({ w }, o)
        for k = 1, 4000 do
          if k > 3000 then opt.lr = r[2].lr / 100 end -- rmsprop's steps never get smaller
          opt:zero_grad()
          f(w):backward()
          opt:step()
        end
        -- w is the minimum where a proximal gradient step of any length leaves it.
        opt:zero_grad()
        f(w):backward()
        local sharp = name == "slope and l2" and P.slope(0.2) or pen
        local g = w.grad
        if sharp ~= pen then g = g + 0.3 * w:detach() end
        local rest = sharp:prox(w:detach() - 0.1 * g, 0.1)
        local moved = (rest - w:detach()):abs():max():item() / 0.1
        assert.is_true(moved < 1e-3, ("%s: %.3g"):format(r[1], moved))
      end
    end)
  end

  it("holds constraints, and says so in print", function()
    local w = lariat.randn({ 6, 4 }, { dtype = "float64", requires_grad = true })
    local reg = P.unit_norm { by = "row" }
    local opt = optim.adam({ w }, { lr = 0.1, penalty = reg })
    w.grad = lariat.randn({ 6, 4 }, double)
    opt:step()
    near.check((w * w):sum(2):detach(), lariat.ones(6, double), { abs = 1e-12 })
    assert.is_truthy(tostring(P.slope()):find("an adaptive optimiser takes one step for all", 1,
      true))
  end)
end)

-- Penalties of the forward pass by hand -------------------------------------------------------

describe("opt:forward", function()
  local x, y = lariat.ones(4, 3), lariat.zeros(4, 2)

  it("uses the strengths in force: set_lambda, lambda functions with a state", function()
    local net = nn.sequential { nn.linear(3, 5), nn.tanh(), nn.linear(5, 2) }
    local seen = {}
    local pen = P.activation_l2 {
      lambda = function(state)
        seen[#seen + 1] = state.step
        return 0.5
      end,
    }
    local opt = optim.sgd(net, { lr = 0.01, penalty = pen })
    local _, full, loss = opt:forward(net, x, y, "squared")
    near.check(loss:item(), lariat.loss.squared(net(x), y):item())
    opt:set_lambda("activation_l2", 0.25)
    local _, half = opt:forward(net, x, y, "squared")
    near.check(half:item(), full:item() / 2)
    opt:set_lambda("activation_l2", nil)
    seen = {}
    for _ = 1, 3 do
      opt:zero_grad()
      local _, extra, l = opt:forward(net, x, y, "squared")
      ;(l + extra):backward()
      opt:step()
    end
    assert.same({ 1, 2, 3 }, seen) -- once a step
    _, full = opt:forward(net, x, y, "squared", { step = 77 })
    assert.is_true(full:item() > 0)
    assert.equal(77, seen[4])
  end)

  it("gives 0 without a penalty, and says what is wrong", function()
    local net = nn.linear(3, 2)
    local opt = optim.sgd(net, { lr = 0.1 })
    local pred, extra, loss = opt:forward(net, x)
    assert.same({ 4, 2 }, pred.shape)
    assert.equal(0, extra:item())
    assert.is_nil(loss)
    assert.is_false(pcall(opt.forward, opt, 3, x))
    assert.is_false(pcall(opt.forward, opt, net, 3))
    assert.is_false(pcall(opt.forward, opt, net, x, y, "sqared"))
  end)

  it("fit calls lambda functions once a step", function()
    local net = nn.sequential { nn.linear(3, 5), nn.tanh(), nn.linear(5, 2) }
    local calls, plain = 0, 0
    local function counted(count)
      return function()
        count()
        return 0.1
      end
    end
    lariat.fit(net, { x = x, y = y }, {
      loss = "squared", epochs = 3, batch_size = 2,
      penalty = P.activation_l1 { lambda = counted(function() calls = calls + 1 end) }
        + P.l2 { lambda = counted(function() plain = plain + 1 end) },
    })
    assert.equal(6, calls)
    assert.equal(6, plain)
  end)
end)
