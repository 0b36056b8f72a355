-- Rules that look at the whole data: every one comes to the minimum of the objective with its
-- penalty, resumes bit for bit, and refuses what it cannot do.
local lariat = require "lariat"
local near = require "spec.support.near"

local P, nn, optim = lariat.penalty, lariat.nn, lariat.optim
local double = { dtype = "float64" }

local rules, own = {}, {}
for _, rule in ipairs(optim.rules()) do
  if rule.whole then rules[#rules + 1] = rule end
end
own.svrg = { lr = 0.05 } -- its lr is a step; the others' a first try

local function options(name, more)
  local out = {}
  for k, v in pairs(own[name] or {}) do out[k] = v end
  for k, v in pairs(more or {}) do out[k] = v end
  return out
end

local function parameter(values, dtype)
  return lariat.tensor(values, { dtype = dtype or "float64", requires_grad = true })
end

-- Steps until it rests, at most `most`.
local function rest(opt, f, most, batches)
  for _ = 1, most do
    opt:step(f, nil, batches)
    if opt.converged or opt.stalled then break end
  end
  return opt
end

-- A logistic regression with inputs that do and do not matter.
local function logistic(dtype, n, p)
  lariat.seed(21)
  n, p = n or 120, p or 12
  local x, noise = lariat.randn({ n, p }, double), lariat.randn({ n, 1 }, double)
  local truth = lariat.zeros({ p, 1 }, double)
  for j = 1, 4 do truth[j] = j - 2.5 end
  local y = (x:matmul(truth) + noise):gt(0):to(dtype or "float64")
  x = x:to(dtype or "float64")
  local w = parameter(lariat.full({ p, 1 }, 0.3, double):totable(), dtype)
  local b = parameter({ 0.1 }, dtype)
  local function loss(first, rows)
    local xs, ys = x, y
    if first then xs, ys = x:narrow(1, first, rows), y:narrow(1, first, rows) end
    return lariat.loss.bce_with_logits(xs:matmul(w) + b, ys)
  end
  return { w, b }, loss, x, y
end

local function whole(loss)
  return function() return loss() end
end

-- The loss by batches for svrg, whole for the others.
local function task(name, loss, rows)
  if name ~= "svrg" then return whole(loss), 1 end
  return function(k) return loss((k - 1) * 20 + 1, 20) end, rows // 20
end

-- The distance from 0 to the gradient and the subdifferential of lambda |w|, at the most.
local function residual(params, loss, lambda)
  local g = lariat.grad(loss(), params)
  local worst, zeros = g[2]:abs():max():item(), 0
  local w = params[1]
  for j = 1, w.numel do
    local v, s = w:at(j, 1), g[1]:at(j, 1)
    if v == 0 then
      worst, zeros = math.max(worst, math.abs(s) - lambda), zeros + 1
    else
      worst = math.max(worst, math.abs(s + (v > 0 and lambda or -lambda)))
    end
  end
  return worst, zeros
end

local smooth_only = { lbfgs = true, newton_cg = true }

describe("rules for whole data", function()
  it("there are five", function()
    local names = {}
    for _, r in ipairs(rules) do names[#names + 1] = r.name end
    assert.same({ "fista", "lbfgs", "newton_cg", "owlqn", "svrg" }, names)
  end)

  for _, rule in ipairs(rules) do
    local name = rule.name
    describe(name, function()
      it("says what it is and where it is from", function()
        assert.is_truthy(#rule.doc > 10 and rule.source:find "%d%d%d%d")
        assert.is_truthy(tostring(optim[name]()):find(name, 1, true))
      end)

      it("comes to the minimum of a smooth objective, penalty included", function()
        for _, dtype in ipairs { "float64", "float32" } do
          local params, loss = logistic(dtype)
          local o = options(name, { penalty = P.l2(0.05):on "1" })
          local opt = optim[name](params, o)
          local f, batches = task(name, loss, 120)
          rest(opt, f, 500, batches)
          local g = lariat.grad(loss(), params)
          local slope = (g[1] + 0.05 * params[1]:detach()):abs():max():item()
          local tolerance = dtype == "float64" and 1e-6 or 1e-4
          assert.is_true(slope <= tolerance, ("%s: %.3g"):format(dtype, slope))
          assert.is_true(g[2]:abs():max():item() <= tolerance)
        end
      end)

      if smooth_only[name] then
        it("refuses a penalty that acts by prox, at once and later", function()
          local params = logistic()
          local said = name .. ": penalty l1 acts by prox, which this rule cannot take; owlqn"
          local ok, why = pcall(optim[name], params, { penalty = P.l2(1) + P.l1(0.1) })
          assert.is_false(ok)
          assert.is_truthy(tostring(why):find(said, 1, true), why)
          local opt = optim[name](params, {})
          assert.is_false(pcall(function() opt.penalty = P.l1(1) end))
          opt.penalty = P.l1 { lambda = 1, mode = "subgradient" }
        end)
      else
        it("comes to the minimum with l1, zeros exact, in the metric of its KKT", function()
          local params, loss = logistic()
          local opt = optim[name](params, options(name, { penalty = P.l1(0.04):on "1" }))
          local f, batches = task(name, loss, 120)
          rest(opt, f, 3000, batches)
          local worst, zeros = residual(params, loss, 0.04)
          assert.is_true(worst < 1e-6, ("residual %.3g"):format(worst))
          assert.is_true(zeros >= 4, zeros .. " zeros")
          assert.is_true(opt.converged)
          assert.is_true(opt.grad_norm <= 1e-6)
        end)
      end

      it("lowers a network's loss with every iteration but its noise", function()
        lariat.seed(8)
        local x, y = lariat.randn({ 40, 3 }, double), lariat.randn({ 40, 2 }, double)
        local net = nn.sequential { nn.linear(3, 8), nn.tanh(), nn.linear(8, 2) }
        net = net:to("float64") or net
        local opt = optim[name](net, options(name))
        local function loss(first, rows)
          if first then
            return lariat.loss.squared(net(x:narrow(1, first, rows)), y:narrow(1, first, rows))
          end
          return lariat.loss.squared(net(x), y)
        end
        local f, batches = task(name, loss, 40)
        local former = loss():item()
        for _ = 1, 15 do
          opt:step(f, nil, batches)
          local now = loss():item()
          local slack = (name == "fista" or name == "svrg") and 1.1 or 1 + 1e-12
          assert.is_true(now <= former * slack, ("%g after %g"):format(now, former))
          former = now
        end
        assert.equal(15, opt.t)
      end)

      it("resumes bit for bit", function()
        local params, loss = logistic()
        local twins, other = logistic()
        local o = options(name, { penalty = smooth_only[name] and P.l2(0.05) or P.l1(0.02) })
        local f, batches = task(name, loss, 120)
        local g = task(name, other, 120)
        local opt = optim[name](params, o)
        for _ = 1, 4 do opt:step(f, nil, batches) end
        local state = opt:state()
        lariat.no_grad(function()
          for i, p in ipairs(params) do twins[i]:copy_(p) end
        end)
        local fresh = optim[name](twins, o)
        fresh:load_state(state)
        for _ = 1, 3 do
          opt:step(f, nil, batches)
          fresh:step(g, nil, batches)
        end
        assert.equal(7, fresh.t)
        for i, p in ipairs(params) do assert.is_true(p:eq(twins[i]):all():item()) end
      end)

      it("leaves frozen parameters alone, takes what is not contiguous", function()
        local wide = lariat.tensor({ { 1, 5 }, { 2, 6 }, { 3, 7 } }, double)
        local w = wide:t():select(1, 1)
        w.requires_grad = true
        local still = parameter { 2 }
        still.requires_grad = false
        local a = lariat.tensor({ 1, 2, 3 }, double)
        local opt = optim[name]({ w, still }, options(name))
        rest(opt, function() return ((w - still) ^ 2 * a):sum() / 2 end, 500)
        near.check(wide, { { 2, 5 }, { 2, 6 }, { 2, 7 } }, { abs = 1e-6 })
        assert.same({ 2 }, still:totable())
      end)

      it("an error in the loss leaves everything as it was", function()
        local params, loss = logistic()
        local opt = optim[name](params, options(name))
        local calls, before = 0, params[1]:detach():clone()
        local ok, why = pcall(opt.step, opt, function()
          calls = calls + 1
          if calls > 1 then error({ "mine" }) end
          return loss()
        end, nil, 2)
        assert.is_false(ok)
        assert.same({ "mine" }, why)
        assert.is_true(params[1]:eq(before):all():item())
        assert.equal(0, opt.t)
      end)

      it("in fit: converged, and goes on from an interruption with the same bits", function()
        local _, _, x, y = logistic()
        local function train(more)
          lariat.seed(3)
          local net = nn.linear(12, 1)
          net = net:to("float64") or net
          local o = {
            loss = "bce_with_logits", optimizer = optim[name](options(name)), seed = 5,
            penalty = smooth_only[name] and P.l2(0.05) or P.l1(0.04), epochs = 3000,
            batch_size = name == "svrg" and 20 or nil,
          }
          for k, v in pairs(more or {}) do o[k] = v end
          return net, lariat.fit(net, { x = x, y = y }, o), o
        end
        local net, history = train()
        assert.equal("converged", history.status)
        local last = history[#history]
        near.check(last.objective, last.loss + last.penalty, { rel = 1e-14 })
        near.check(last.loss, lariat.loss.bce_with_logits(net(x), y):item(), { rel = 1e-9 })
        for epochs = 1, 4 do
          local half, cut, o = train { epochs = epochs }
          assert.equal("max_epochs", cut.status)
          o.resume, o.optimizer, o.penalty, o.epochs = cut, nil, nil, 3000
          local both = lariat.fit(half, { x = x, y = y }, o)
          assert.equal(#history, #both)
          assert.is_true(half:parameter("weight"):eq(net:parameter "weight"):all():item())
        end
      end)
    end)
  end
end)

describe("a rule for whole data", function()
  it("goes down narrow valleys by line search", function()
    for _, name in ipairs { "lbfgs", "newton_cg" } do
      local w = parameter { -1.2, 1 }
      local function f()
        local a, b = w:select(1, 1), w:select(1, 2)
        return (1 - a) ^ 2 + 100 * (b - a ^ 2) ^ 2
      end
      local opt = rest(optim[name]({ w }, { tol = 1e-8 }), f, 100)
      assert.is_true(opt.converged, name)
      near.check(w:detach(), { 1, 1 }, { abs = 1e-7 })
    end
  end)

  it("agrees with the proximal steps of sgd for every kind of prox (fista)", function()
    for _, pen in ipairs {
      P.slope(0.05), P.group_lasso { lambda = 0.05, by = "all" }, P.nonnegative() + P.l1(0.02),
      P.l1_ball(0.8), P.tv1d(0.05), P.elastic_net(0.05),
    } do
      local params, loss = logistic()
      local twins, other = logistic()
      rest(optim.fista(params, { penalty = pen:on "1", tol = 1e-9 }), whole(loss), 3000)
      local opt = optim.sgd(twins, { lr = 0.5, penalty = pen:on "1" })
      for _ = 1, 4000 do
        opt:zero_grad()
        other():backward()
        opt:step()
      end
      near.check(params[1]:detach(), twins[1]:detach(), { abs = 1e-5, what = tostring(pen) })
    end
  end)

  it("takes weights of a penalty, and l2 beside l1 (owlqn)", function()
    local weights = {}
    for j = 1, 12 do weights[j] = { j % 3 } end -- every third is free
    local pen = P.l1 { lambda = 0.05, weights = lariat.tensor(weights, double) } + P.l2(0.01)
      + P.elastic_net(0.02)
    local params, loss = logistic()
    local twins, other = logistic()
    rest(optim.owlqn(params, { penalty = pen:on "1", tol = 1e-8 }), whole(loss), 500)
    rest(optim.fista(twins, { penalty = pen:on "1", tol = 1e-8 }), whole(other), 3000)
    near.check(params[1]:detach(), twins[1]:detach(), { abs = 1e-6 })
  end)

  it("adds up batches in fit, whatever their size, and keeps every record", function()
    local _, _, x, y = logistic()
    local function train(batch_size)
      lariat.seed(3)
      local net = nn.sequential { nn.linear(12, 3), nn.tanh(), nn.linear(3, 1) }
      net = net:to("float64") or net
      local history = lariat.fit(net, { x = x, y = y }, {
        loss = "bce_with_logits", optimizer = "lbfgs", epochs = 15, batch_size = batch_size,
        penalty = P.l2(0.01) + P.activation_l2(0.1), metrics = { "accuracy" },
        validation = { x = x, y = y },
      })
      return net, history
    end
    local one, a = train(nil)
    local many, b = train(50)
    near.check(one:parameter("1.weight"):detach(), many:parameter("1.weight"):detach(),
      { abs = 1e-6 })
    local last = a[#a]
    near.check(last.objective, last.loss + last.penalty_l2 + last.penalty_activation_l2)
    near.check(last.val_loss, last.loss, { rel = 1e-9 })
    assert.is_true(last.accuracy > 0.7)
    near.check(b[#b].loss, last.loss, { rel = 1e-6 })
  end)

  it("stops at grad_tol, takes schedules and lambda functions", function()
    local _, _, x, y = logistic()
    local net = nn.linear(12, 1)
    local history = lariat.fit(net, { x = x, y = y }, {
      loss = "bce_with_logits", optimizer = "owlqn", grad_tol = 0.05, epochs = 100,
      penalty = P.l1 { lambda = function(s) return s.epoch < 3 and 0.2 or 0.02 end },
    })
    assert.equal("converged", history.status)
    assert.is_true(history.optimizer.grad_norm <= 0.05)
    assert.is_true(history[#history].penalty < history[1].penalty * 10)
  end)

  it("diverges as a status, with the weights of before", function()
    local x, y = lariat.randn({ 20, 2 }, double), lariat.randn({ 20, 1 }, double)
    local net = nn.linear(2, 1)
    net = net:to("float64") or net
    local before = net:parameter("weight"):detach():clone()
    local history = lariat.fit(net, { x = x, y = y }, {
      loss = function(p, t) return (p - t):pow(2):mean() / 0 end, optimizer = "lbfgs",
    })
    assert.equal("diverged", history.status)
    assert.is_true(net:parameter("weight"):eq(before):all():item())
  end)

  it("says what is wrong in one sentence", function()
    local function fails(fn, what)
      local ok, why = pcall(fn)
      assert.is_false(ok, "no error")
      assert.is_truthy(tostring(why):find(what, 1, true), tostring(why))
    end
    local w = parameter { 1, 2 }
    local function loss() return (w ^ 2):sum() end
    fails(function() optim.lbfgs({ w }, {}):step() end, "lbfgs: a step needs the loss")
    fails(function() optim.sgd({ w }, {}):step(loss) end, "sgd: a step takes no function")
    fails(function() optim.lbfgs { ema = 0.9 } end, "unknown key 'ema'")
    fails(function() optim.lbfgs { history = 0 } end, "history = 0")
    fails(function() optim.lbfgs { history = 1.5 } end, "history = 1.5")
    fails(function() optim.owlqn({ w }, { penalty = P.box() }) end,
      "owlqn: penalty box acts by prox, which this rule cannot take; fista takes any")
    fails(function() optim.lbfgs({ w }, {}):step(function() return 3 end) end, "a number, not")
    fails(function() optim.lbfgs({ w }, {}):step(function() return w end) end, "several")
    fails(function() optim.svrg({ w }, {}):step(loss, nil, 0) end, "0 batches")
    fails(function() optim.svrg({ w }, {}):step(function() return loss(), -1 end) end,
      "weight of a batch")
    local opt = optim.lbfgs({ w }, {})
    w:requires_grad_(false)
    fails(function() opt:step(loss) end, "every parameter is frozen")
    w:requires_grad_()
    fails(function() opt:step(function() return loss():detach() end) end,
      "lbfgs: the loss depends on no parameter that is trained")
    local net = nn.linear(2, 1)
    fails(function()
      lariat.fit(net, function() return pairs {} end, { loss = "squared", optimizer = "lbfgs" })
    end, "lbfgs looks at the whole data")
    fails(function()
      lariat.fit(net, { x = lariat.ones(4, 2), y = lariat.ones(4, 1) },
        { loss = "squared", optimizer = "lbfgs", accumulate = 2 })
    end, "accumulate is for steps")
  end)

  it("is whole at any failing allocation", function()
    local core = lariat.core
    for _, name in ipairs { "lbfgs", "owlqn", "fista", "newton_cg", "svrg" } do
      local params, loss = logistic("float64", 20, 5)
      local function go()
        local opt = optim[name](params, options(name, { penalty = P.l2(0.1) }))
        opt:step(function() return loss() end)
        opt:load_state(opt:state())
      end
      go()
      local n = 0
      repeat
        collectgarbage()
        collectgarbage()
        local live = core.mem_live()
        core.mem_fail_after(n)
        local ok, why = pcall(go)
        core.mem_fail_after(-1)
        collectgarbage()
        collectgarbage()
        assert.equal(live, core.mem_live(), ("%s: blocks left at %d"):format(name, n))
        if not ok then assert.is_truthy(tostring(why):find "out of memory", tostring(why)) end
        n = n + 1
      until ok
      assert.is_true(n > 1)
    end
  end)
end)
