-- Penalties in the training loop: they act, are reported apart, and give exact zeros.
local lariat = require "lariat"
local near = require "spec.support.near"

local P, C, nn, optim = lariat.penalty, lariat.constraint, lariat.nn, lariat.optim
local F64 = { dtype = "float64" }

-- A regression with columns of unit mean square, so that the loss's Hessian is near I.
local function problem(n, p)
  lariat.seed(7)
  local x = lariat.randn({ n, p }, F64)
  local truth = lariat.zeros(p, 1, F64)
  for j = 1, 3 do truth[j][1] = ({ 1.5, -1, 0.6 })[j] end
  return x, x:matmul(truth) + 0.1 * lariat.randn({ n, 1 }, F64)
end

local function linear(p, out)
  local net = nn.linear(p, out or 1, { bias = false }):to "float64"
  lariat.no_grad(function() net.weight:fill_(0.3) end)
  return net
end

local function sum_terms(record)
  local sum = 0
  for key, v in pairs(record) do
    if key:match "^penalty_" then sum = sum + v end
  end
  return sum
end

local function fit(net, x, y, o)
  o.loss, o.progress = o.loss or "squared", false
  o.epochs = o.epochs or 3
  return lariat.fit(net, { x = x, y = y }, o)
end

describe("what fit reports of penalties", function()
  it("every term apart; the objective is the loss plus their sum", function()
    local x, y = problem(40, 4)
    local net = nn.sequential { nn.linear(4, 6), nn.sigmoid(), nn.linear(6, 1) }:to "float64"
    local reg = P.l1(0.01) + P.l2(0.1):on("3.weight") + P.l1(0.02):on("3.*")
      + P.activation_l1(0.03) + P.kl_sparsity(0.1) + P.jacobian(0.05) + P.gradient(0.2)
      + P.orthogonal(0.01) + C.max_norm(2)
    for _, size in ipairs { 16, 40 } do
      local h = fit(net, x, y, { penalty = reg, batch_size = size, optimizer = "adam" })
      for _, record in ipairs(h) do
        near.check(record.penalty, sum_terms(record), { rel = 1e-13 })
        near.check(record.objective, record.loss + record.penalty, { rel = 1e-13 })
        for _, name in ipairs { "l1", "l1_2", "l2", "activation_l1", "kl_sparsity", "jacobian",
          "gradient", "orthogonal" } do
          assert.is_true(record["penalty_" .. name] > 0, name)
        end
        assert.equal(0, record.penalty_max_norm)
      end
    end
  end)

  it("terms of the forward pass are those of the batch, in an epoch of one step", function()
    local x, y = problem(20, 3)
    local net = nn.sequential { nn.linear(3, 4), nn.tanh(), nn.linear(4, 1) }:to "float64"
    local reg = P.activation_l2(0.1) + P.gradient(0.3) + P.l2(0.2)
    local terms = reg:terms(net, x, y, "squared")
    local h = fit(net, x, y, { penalty = reg, batch_size = 20, epochs = 1, optimizer = "sgd" })
    for name, v in pairs(terms) do near.check(h[1]["penalty_" .. name], v, { rel = 1e-12 }) end
  end)

  it("the forward terms move the weights as their gradient says", function()
    local x, y = problem(20, 3)
    local net = nn.sequential { nn.linear(3, 4), nn.tanh(), nn.linear(4, 1) }:to "float64"
    local twin = net:clone()
    local reg = P.activation_l1(0.1) + P.jacobian(0.2) + P.l2(0.3) + P.l1(0.05)
    fit(net, x, y, { penalty = reg, batch_size = 20, epochs = 2,
      optimizer = optim.sgd { lr = 0.1 } })
    local opt = optim.sgd(twin, { lr = 0.1, penalty = reg })
    for _ = 1, 2 do
      opt:zero_grad()
      local _, extra, loss = reg:forward(twin, x, y, "squared");
      (loss + extra):backward()
      opt:step()
    end
    for name, p in net:parameters() do
      near.check(p, twin:parameter(name), { rel = 1e-12, what = name })
    end
  end)
end)

describe("trust", function()
  local x, y = problem(30, 5)

  it("a penalty replaced in on_epoch acts and is reported from then on", function()
    local net = linear(5)
    local h = fit(net, x, y, {
      penalty = P.l2(0.1), optimizer = optim.sgd { lr = 0.1 }, epochs = 40,
      on_epoch = function(state)
        if state.epoch == 2 then
          state.optimizer.penalty = P.l1(50) + P.activation_l1(0.1):on "linear"
        elseif state.epoch == 20 then
          state.penalty = nil
        elseif state.epoch == 30 then
          state.penalty = P.l2(1) + P.l1(0) + P.l1(0) + P.l1(0) + P.l1(0)
          assert.is_truthy(tostring(state.penalty):find "l1_4")
        end
      end,
    })
    assert.is_nil(h[2].penalty_l1)
    assert.is_nil(h[3].penalty_l2)
    assert.equal(0, h[19].penalty_l1)
    assert.is_true(h[3].penalty_activation_l1 > 0)
    near.check(h[3].objective, h[3].loss + sum_terms(h[3]), { rel = 1e-13 })
    assert.equal(0, h[21].penalty)
    assert.is_true(h[30].loss < h[20].loss)
    assert.is_true(h[40].penalty_l2 > 0 and h[40].penalty_l1_4 == 0)
  end)

  it("one replaced within an epoch, on_step, too", function()
    local net = linear(5)
    local h = fit(net, x, y, {
      penalty = P.activation_l1(0.1):on("linear"), batch_size = 10, epochs = 2,
      optimizer = optim.sgd { lr = 0.01 },
      on_step = function(state)
        if state.step == 2 then
          state.penalty = P.l1(0.1) + P.l2(0.1) + P.activation_l2(0.1):on("linear")
        end
      end,
    })
    assert.is_true(h[1].penalty_activation_l2 > 0 and h[1].penalty_l2 > 0)
    near.check(h[2].objective, h[2].loss + sum_terms(h[2]), { rel = 1e-13 })
  end)

  it("one added between runs acts when the run goes on", function()
    local net = linear(5)
    local sgd = optim.sgd { lr = 0.1 }
    local h = fit(net, x, y, { epochs = 2, optimizer = sgd, batch_size = 30 })
    assert.equal(0, h[2].penalty)
    h = fit(net, x, y, { resume = h, epochs = 30, penalty = P.l1(100), batch_size = 30 })
    assert.equal(5, net.weight:eq(0):sum():item())
    h = fit(net, x, y, { resume = h, epochs = 32, batch_size = 30 })
    assert.equal(5, net.weight:eq(0):sum():item())
    h.optimizer.penalty = nil
    fit(net, x, y, { resume = h, epochs = 34, batch_size = 30 })
    assert.equal(0, net.weight:eq(0):sum():item())
  end)

  it("strengths rescheduled act: by schedule, by function, by set_lambda", function()
    local function last(o)
      local net = linear(5)
      o.batch_size, o.epochs = 30, 20
      o.optimizer = optim.sgd { lr = 0.1 }
      local h = fit(net, x, y, o)
      return net.weight:eq(0):sum():item(), h[20]
    end
    assert.equal(5, (last { penalty = P.l1(0), schedule = { ["penalty.l1"] = function(s)
      return s.epoch > 10 and 100 or 0
    end } }))
    assert.equal(5, (last { penalty = P.l1 { lambda = function(s)
      return s.epoch > 10 and 100 or 0
    end } }))
    assert.equal(5, (last { penalty = P.l1(0), on_epoch = function(s)
      if s.epoch == 10 then s.optimizer:set_lambda("l1", 100) end
    end }))
    local _, record = last { penalty = P.activation_l1(1):on("linear"),
      schedule = {
        ["penalty.activation_l1"] = function(s) return s.epoch == 20 and 7 or 0 end,
      } }
    near.check(record.penalty, record.penalty_activation_l1)
    assert.is_true(record.penalty > 1)
  end)

  it("frozen parameters do not move, whatever acts", function()
    for _, rule in ipairs { "sgd", "adam", "adamw" } do
      local net = nn.sequential { nn.linear(5, 4), nn.sigmoid(), nn.linear(4, 1) }:to "float64"
      net:freeze "1.*"
      local before = {}
      for name, p in net:parameters() do before[name] = p:detach():clone() end
      fit(net, x, y, {
        optimizer = optim[rule] { lr = 0.1 }, epochs = 5,
        penalty = P.l1(0.1):on("weight", "bias") + P.l2(0.1) + P.activation_l1(0.1)
          + P.orthogonal(0.1) + P.weight_noise(0.1) + P.gradient(0.1) + C.max_norm(0.1),
      })
      near.check(net:parameter "1.weight", before["1.weight"], { rel = 0 })
      near.check(net:parameter "1.bias", before["1.bias"], { rel = 0 })
      assert.is_true((net:parameter "3.weight" - before["3.weight"]):abs():max():item() > 0)
    end
  end)

  it("an objective that is no number ends the run as diverged", function()
    local net = linear(5)
    local h = fit(net, x, y, { optimizer = optim.sgd { lr = 1e200 }, epochs = 20,
      penalty = P.activation_l2(1e100):on("linear") })
    assert.equal("diverged", h.status)
    assert.is_true(net.weight:isfinite():all():item())
  end)
end)

-- Exact zeros --------------------------------------------------------------------------------

describe("training to exact zeros", function()
  local rules = {
    sgd = function() return optim.sgd { lr = 0.2 } end,
    momentum = function() return optim.sgd { lr = 0.05, momentum = 0.9 } end,
    adam = function() return optim.adam { lr = 0.01 } end,
    adamw = function() return optim.adamw { lr = 0.01, weight_decay = 0 } end,
    decayed = function()
      return optim.adamw { lr = 0.01, weight_decay = 0.3, beta2 = 0.99 }
    end,
  }
  local lambda = 0.15
  local penalties = {
    l1 = function() return P.l1(lambda) end,
    mcp = function() return P.mcp { lambda = lambda, gamma = 3 } end,
    scad = function() return P.scad { lambda = lambda } end,
    group_lasso = function() return P.group_lasso { lambda = lambda, by = "input" } end,
    sparse_group_lasso = function()
      return P.sparse_group_lasso { lambda = lambda, by = "input", l1_ratio = 0.5 }
    end,
  }

  -- |w - prox(w - t g)| / t: 0 where -g is a subgradient of the penalty. Decay apart from the
  -- gradient takes lr decay w off each step, and the metric is lr / (sqrt(v) + eps): where Adam
  -- rests, v is g^2, and decay has been a gradient of decay (|g| + eps) w.
  local function residual(net, pen, x, y, decay)
    local w = net.weight
    net:zero_grad()
    lariat.loss.squared(net(x), y):backward()
    local t, g = 0.5, w.grad
    g = g + decay * (g:abs() + 1e-8) * w
    local u = pen:prox((w - g * t):detach(), t)
    return ((w:detach() - u):abs():max() / t):item()
  end

  -- Where a penalty is flat, decay is all that holds g up: v falls with g, and Adam's steps
  -- grow until they kick.
  local function rests(name, rule)
    return rule ~= "decayed" or (name ~= "mcp" and name ~= "scad")
  end

  for name, make in pairs(penalties) do
    for rule, recipe in pairs(rules) do
      if rests(name, rule) then
        it(name .. " under " .. rule, function()
          local pen = make()
          local x, y = problem(80, 10)
          if name:find "group" then y = lariat.cat({ y, -0.5 * y }, 2) end
          local net, former, changes = linear(10, y.shape[2]), nil, 0
          local epochs = 3000
          fit(net, x, y, {
            penalty = pen, optimizer = recipe(), batch_size = 80, epochs = epochs,
            schedule = { lr = function(s, base)
              return base * math.max(1e-3, 1 - s.epoch / epochs)
            end },
            on_epoch = function(state)
              if state.epoch < epochs * 0.7 or state.epoch % 20 > 0 then return end
              local zeros = net.weight:eq(0)
              if former and not zeros:eq(former):all():item() then changes = changes + 1 end
              former = zeros
            end,
          })
          assert.is_true(net.weight:eq(0):sum():item() >= 5, tostring(net.weight))
          assert.is_true(net.weight:ne(0):sum():item() >= 3)
          assert.equal(0, changes, "the zeros oscillate")
          local decay = rule == "decayed" and 0.3 or 0
          local left = residual(net, pen, x, y, decay)
          assert.is_true(left < 1e-3 * lambda, ("KKT residual %g"):format(left))
          assert.is_true(decay == 0 or residual(net, pen, x, y, 0) > lambda / 10)
        end)
      end
    end
  end
end)
