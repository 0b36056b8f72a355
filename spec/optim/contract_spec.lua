-- What every update rule promises: progress, resuming bit for bit, exact zeros at the minimum
-- of the objective, frozen parameters, groups, clipping, averages, a sentence for each mistake.
local lariat = require "lariat"
local near = require "spec.support.near"

local P, nn, optim = lariat.penalty, lariat.nn, lariat.optim

local double = { dtype = "float64" }

local step_rules = {} -- those for whole data have a spec of their own
for _, rule in ipairs(optim.rules()) do
  if not rule.whole then step_rules[#step_rules + 1] = rule end
end

local function generator(seed)
  local s = seed
  return function()
    s = 16807 * s % 2147483647
    return s / 2147483647
  end
end

-- n by p numbers, roughly normal.
local function random(rng, n, p)
  local out = {}
  for i = 1, n do
    out[i] = {}
    for j = 1, p do
      out[i][j] = rng() + rng() + rng() + rng() - 2
    end
  end
  return lariat.tensor(out, double)
end

local function parameter(values, dtype)
  return lariat.tensor(values, { dtype = dtype or "float64", requires_grad = true })
end

-- The shared problems: a start, and a function of the parameters to lower.
local problems = {
  bowl = function()
    local w = parameter { 3, -2 }
    return { w }, function() return (w ^ 2 * lariat.tensor({ 1, 10 }, double)):sum() / 2 end
  end,
  valley = function()
    local w = parameter { -0.5, 1 }
    return { w }, function()
      local x, y = w:select(1, 1), w:select(1, 2)
      return (1 - x) ^ 2 + 2 * (y - x ^ 2) ^ 2
    end
  end,
  logistic = function()
    local rng = generator(5)
    local x = random(rng, 40, 3)
    local y = (x:matmul(lariat.tensor({ { 2 }, { -1 }, { 0.5 } }, double)) + random(rng, 40, 1))
      :gt(0):double()
    local w, b = parameter { { 0 }, { 0 }, { 0 } }, parameter { 0 }
    return { w, b }, function()
      return lariat.loss.bce_with_logits(x:matmul(w) + b, y)
    end
  end,
  network = function()
    local rng = generator(6)
    local x, y = random(rng, 30, 3), random(rng, 30, 2)
    local net = nn.sequential { nn.linear(3, 8), nn.tanh(), nn.linear(8, 2) }
    net = net:to("float64") or net
    local params = {}
    for _, p in net:parameters() do
      params[#params + 1] = p
      lariat.no_grad(function() p:copy_(random(rng, 1, p.numel):reshape(p.shape) * 0.5) end)
    end
    return params, function() return lariat.loss.squared(net(x), y) end
  end,
}

local lr = { adagrad = 0.1, rmsprop = 0.01, adam = 0.02, adamw = 0.02, amsgrad = 0.02,
  lion = 0.005, gd = 0.05, sgd = 0.05, lamb = 0.02, ftrl = 0.1 }

local function run(opt, f, steps)
  for _ = 1, steps do
    opt:zero_grad()
    f():backward()
    opt:step()
  end
  return f():item()
end

-- Options worth a run of their own.
local variants = {
  sgd = { {}, { momentum = 0.9 }, { momentum = 0.9, nesterov = true },
    { momentum = 0.5, dampening = 0.5 } },
  rmsprop = { {}, { centered = true }, { momentum = 0.5 } },
  adam = { {}, { betas = { 0.8, 0.9 } } },
  lion = { {}, { weight_decay = 0.01 } },
}

local function each_variant(rule, fn)
  for _, o in ipairs(variants[rule.name] or { {} }) do
    local copy, name = { lr = lr[rule.name] or rule.lr }, {}
    for k, v in pairs(o) do
      copy[k] = v
      name[#name + 1] = k
    end
    table.sort(name)
    fn(copy, #name > 0 and ", " .. table.concat(name, ", ") or "")
  end
end

local function copied(o, more)
  local out = {}
  for k, v in pairs(o) do out[k] = v end
  for k, v in pairs(more or {}) do out[k] = v end
  return out
end

local function values(params)
  local out = {}
  for i, p in ipairs(params) do out[i] = p:detach():clone() end
  return out
end

local function assert_same_bits(a, b)
  for i = 1, #a do assert.is_true(a[i]:eq(b[i]):all():item(), "parameter " .. i) end
end

describe("update rules", function()
  it("there are some", function() assert.is_true(#step_rules >= 10) end)

  for _, rule in ipairs(step_rules) do
    describe(rule.name, function()
      it("says what it is and where it is from", function()
        assert.is_truthy(#rule.doc > 10 and rule.source:find "%d%d%d%d")
        assert.is_true(rule.lr > 0)
        assert.is_truthy(tostring(optim[rule.name]()):find(rule.name, 1, true))
      end)

      each_variant(rule, function(o, name)
        it("lowers every problem" .. name, function()
          for title, problem in pairs(problems) do
            local params, f = problem()
            local before = f():item()
            local after = run(optim[rule.name](params, o), f, 300)
            assert.is_true(after < before - 0.05 * math.abs(before),
              ("%s: from %g to %g"):format(title, before, after))
          end
        end)

        it("resumes bit for bit" .. name, function()
          local more = { ema = 0.9, penalty = P.l1(0.001) + P.l2(0.01) }
          local params, f = problems.network()
          local opt = optim[rule.name](params, copied(o, more))
          run(opt, f, 7)
          local state, at = opt:state(), values(params)
          run(opt, f, 6)
          local twins, g = problems.network()
          lariat.no_grad(function()
            for i, p in ipairs(twins) do p:copy_(at[i]) end
          end)
          local fresh = optim[rule.name](twins, copied(o, more))
          fresh:load_state(state)
          assert.equal(7, fresh.t)
          run(fresh, g, 6)
          assert_same_bits(values(params), values(twins))
          opt:swap_ema()
          fresh:swap_ema()
          assert_same_bits(values(params), values(twins))
        end)

        it("goes the same way in float32" .. name, function()
          local start = { 0.5, -0.3, 0.2, 0.9 }
          local function path(dtype)
            local w = parameter(start, dtype)
            local opt = optim[rule.name]({ w }, copied(o, { penalty = P.l1(0.01) }))
            run(opt, function() return ((w - 0.4) ^ 2):sum() end, 20)
            return w:detach():double()
          end
          near.check(path "float32", path "float64", { rel = 1e-4, abs = 1e-5 })
        end)
      end)

      it("is the same for any number of threads", function()
        local n = lariat.threads()
        local function go(threads)
          lariat.threads(threads)
          local rng = lariat.linspace(-1, 1, 70000, double)
          local w = parameter(rng:totable())
          local opt = optim[rule.name]({ w }, { penalty = P.l1(0.01), clip_norm = 1 })
          for _ = 1, 3 do
            w.grad = rng * 3
            opt:step()
          end
          return w:detach()
        end
        local a, b = go(1), go(3)
        lariat.threads(n)
        assert_same_bits({ a }, { b })
      end)

      it("leaves frozen parameters and ones without a gradient alone", function()
        local a, b, c = parameter { 1, 2 }, parameter { 3, 4 }, parameter { 5 }
        a.requires_grad = false
        local o = { lr = 0.1, penalty = P.l1(0.5) + P.l2(0.5) }
        local opt = optim[rule.name]({ a, b }, o)
        b.grad = lariat.ones(2, double)
        opt:step()
        assert.same({ 1, 2 }, a:totable())
        assert.is_not_same({ 3, 4 }, b:totable())
        local plain = optim[rule.name]({ c }, { lr = 0.1 })
        plain:step()
        assert.same({ 5 }, c:totable())
      end)

      it("takes what is not contiguous", function()
        local w = lariat.tensor({ { 1, 2, 3 }, { 4, 5, 6 } }, double)
        local t = w:t()
        t.requires_grad = true
        local u = parameter { { 1, 4 }, { 2, 5 }, { 3, 6 } }
        local o = { lr = 0.1, penalty = P.group_lasso { lambda = 0.2, by = "input" } }
        local one, two = optim[rule.name]({ t }, o), optim[rule.name]({ u }, o)
        for k = 1, 3 do
          t.grad = lariat.full({ 3, 2 }, k / 3, double)
          u.grad = t.grad:clone()
          one:step()
          two:step()
        end
        near.check(t:detach(), u:detach(), { rel = 1e-15 })
        assert.equal(u:at(3, 2), w:at(2, 3))
      end)
    end)
  end
end)

-- Lasso: where it comes to rest --------------------------------------------------------------

describe("a lasso by proximal steps", function()
  local LAMBDA, N, p = 0.15, 60, 12
  local rng = generator(9)
  local x = random(rng, N, p)
  local truth = {}
  for j = 1, p do truth[j] = { j <= 3 and (j - 2.5) * 1.5 or 0 } end
  local y = x:matmul(lariat.tensor(truth, double)) + 0.3 * random(rng, N, 1)

  local function train(rule, o, penalty, steps)
    local w = parameter(lariat.full({ p, 1 }, 0.4, double):totable())
    local opt = optim[rule]({ w }, copied(o, { penalty = penalty }))
    local function f() return lariat.loss.squared(x:matmul(w), y) end
    run(opt, f, steps)
    local g = lariat.grad(f(), { w })[1]
    return w:detach():reshape(p):totable(), g:reshape(p):totable(), opt, f, w
  end

  -- The largest distance of -g to the subdifferential of lambda |w|.
  local function residual(w, g)
    local worst, zeros = 0, 0
    for j = 1, p do
      local r
      if w[j] == 0 then
        r, zeros = math.max(0, math.abs(g[j]) - LAMBDA), zeros + 1
      else
        r = math.abs(g[j] + LAMBDA * (w[j] > 0 and 1 or -1))
      end
      worst = math.max(worst, r)
    end
    return worst, zeros
  end

  local cases = {
    { "gd", { lr = 0.1 }, 2000 },
    { "sgd", { lr = 0.1 }, 2000 },
    { "sgd", { lr = 0.03, momentum = 0.9 }, 2000 },
    { "sgd", { lr = 0.03, momentum = 0.9, nesterov = true }, 2000 },
    { "sgd", { lr = 0.05, momentum = 0.6, dampening = 0.3 }, 2000 },
    { "adagrad", { lr = 0.3 }, 3000 },
    { "rmsprop", { lr = 0.003, eps = 1e-3 }, 4000 },
    { "rmsprop", { lr = 0.001, eps = 1e-3, momentum = 0.5 }, 6000 },
    { "adam", { lr = 0.01 }, 4000 },
    { "adamw", { lr = 0.01, weight_decay = 0 }, 4000 },
    { "amsgrad", { lr = 0.01 }, 4000 },
    { "ftrl", { lr = 0.3 }, 4000 },
  }
  for _, case in ipairs(cases) do
    local rule, o, steps = table.unpack(case)
    local names = {}
    for k in pairs(o) do names[#names + 1] = k end
    table.sort(names)
    it(rule .. " (" .. table.concat(names, ", ") .. ") rests at the minimum, zeros exact",
      function()
        local w, g, opt, f, now = train(rule, o, P.l1(LAMBDA), steps)
        local worst, zeros = residual(w, g)
        assert.is_true(worst < 1e-3 * LAMBDA, ("KKT residual %.3g"):format(worst))
        assert.is_true(zeros >= 7, zeros .. " zeros")
        run(opt, f, 50) -- and stays
        assert.equal(zeros, now:eq(0):sum():item())
      end)
  end

  it("the subgradient gives no zeros", function()
    for _, case in ipairs { { "sgd", { lr = 0.1 } }, { "adam", { lr = 0.01 } } } do
      local w = train(case[1], case[2], P.l1 { lambda = LAMBDA, mode = "subgradient" }, 1000)
      for j = 1, p do assert.is_true(w[j] ~= 0) end
    end
  end)

  it("groups go to zero together, at the minimum", function()
    local pen = P.group_lasso { lambda = LAMBDA, groups = { { 1, 2, 3 }, { 4, 5, 6 },
      { 7, 8, 9 }, { 10, 11, 12 } } }
    for _, case in ipairs { { "sgd", { lr = 0.1 }, 2000 }, { "adam", { lr = 0.01 }, 4000 } } do
      local w, g = train(case[1], case[2], pen, case[3])
      local l = LAMBDA * math.sqrt(3)
      for first = 1, p, 3 do
        local norm, gnorm, worst = 0, 0, 0
        for j = first, first + 2 do norm, gnorm = norm + w[j] ^ 2, gnorm + g[j] ^ 2 end
        norm, gnorm = math.sqrt(norm), math.sqrt(gnorm)
        for j = first, first + 2 do
          if norm > 0 then worst = math.max(worst, math.abs(g[j] + l * w[j] / norm)) end
        end
        assert.is_true(worst < 1e-3 * LAMBDA, ("%s: residual %.3g"):format(case[1], worst))
        assert.is_true(first == 1 and norm > 0 or norm == 0 and gnorm <= l)
      end
    end
  end)

  it("constraints hold after every step", function()
    for _, rule in ipairs(step_rules) do
      local w = parameter { { 3, 4 }, { 1, 0 } }
      local reg = P.max_norm(1) + P.nonnegative()
      local opt = optim[rule.name]({ w }, { lr = 0.1, penalty = reg })
      for _ = 1, 20 do
        opt:zero_grad()
        local f = (w + 2) ^ 2 * lariat.tensor({ { 1, -1 }, { -3, 2 } }, double)
        f:sum():backward()
        opt:step()
        assert.equal(0, reg:value { w })
      end
    end
  end)
end)

-- Settings --------------------------------------------------------------------------------

describe("an optimiser", function()
  local function with_grad(...)
    local out = {}
    for i, g in ipairs { ... } do
      out[i] = parameter(lariat.zeros(#g, double):totable())
      out[i].grad = lariat.tensor(g, double)
    end
    return out
  end

  it("clips by norm over all parameters, then by value", function()
    local ps = with_grad({ 3, 0 }, { 4 })
    local opt = optim.sgd(ps, { lr = 1, clip_norm = 1 })
    opt:step()
    near.check(ps[1]:detach(), { -0.6, 0 })
    near.check(ps[2]:detach(), { -0.8 })
    assert.equal(5, opt.grad_norm)
    near.check(ps[1].grad, { 3, 0 }) -- the gradient itself is left alone
    ps = with_grad({ 3, 0.1 }, { -4 })
    optim.sgd(ps, { lr = 1, clip_value = 0.5 }):step()
    near.check(ps[1]:detach(), { -0.5, -0.1 })
    near.check(ps[2]:detach(), { 0.5 })
    ps = with_grad({ 0.3 })
    optim.sgd(ps, { lr = 1, clip_norm = 1 }):step()
    near.check(ps[1]:detach(), { -0.3 })
  end)

  it("clips the loss's gradient, not the penalty's", function()
    local ps = with_grad({ 30 })
    lariat.no_grad(function() ps[1]:fill_(10) end)
    optim.sgd(ps, { lr = 0.1, clip_value = 1, penalty = P.l2(2) }):step()
    near.check(ps[1]:detach(), { 10 - 0.1 * (1 + 20) })
  end)

  it("gives groups of parameters settings of their own", function()
    local net = nn.sequential { nn.linear(2, 2), nn.linear(2, 1) }
    net = net:to("float64") or net
    local before = {}
    for name, q in net:parameters() do before[name] = q:detach():clone() end
    local opt = optim.sgd(net, {
      lr = 0.1,
      groups = { { on = "2.*", lr = 0.5 }, { on = { "bias", "1.weight" }, lr = 0.2 } },
    })
    for _, q in net:parameters() do q.grad = lariat.ones(q.shape, double) end
    opt:step()
    local function moved(name, by)
      near.check(before[name] - net:parameter(name):detach(), before[name] * 0 + by,
        { abs = 1e-12 })
    end
    moved("1.weight", 0.2)
    moved("1.bias", 0.2)
    moved("2.weight", 0.5)
    moved("2.bias", 0.5)
    opt.lr = 0.01 -- a schedule keeps the ratio
    opt:step()
    moved("2.weight", 0.55)
    moved("1.bias", 0.22)
  end)

  it("decays weights, not biases, unless a group says so", function()
    local net = nn.linear(2, 2)
    net = net:to("float64") or net
    local function step(o)
      lariat.no_grad(function() for _, q in net:parameters() do q:fill_(1) end end)
      local opt = optim.adamw(net, o)
      for _, q in net:parameters() do q.grad = lariat.zeros(q.shape, double) end
      opt:step()
      return net:parameter "weight":at(1, 1), net:parameter "bias":at(1)
    end
    local w, b = step { lr = 0.1, weight_decay = 0.5 }
    near.check({ w, b }, { 0.95, 1 })
    local biases = { on = "bias", weight_decay = 0.2 }
    w, b = step { lr = 0.1, weight_decay = 0.5, groups = { biases } }
    near.check({ w, b }, { 0.95, 0.98 })
    w, b = step { lr = 0.1, weight_decay = 0.5, groups = { { on = "*", lr = 0.2 } } }
    near.check({ w, b }, { 0.9, 1 })
  end)

  it("averages, and swaps the averages in and out", function()
    local w = parameter { 0 }
    local opt = optim.sgd({ w }, { lr = 1, ema = 0.9 })
    local mean = 0
    for t = 1, 30 do
      w.grad = lariat.tensor({ -1 }, double)
      opt:step()
      local d = math.min(0.9, (1 + t) / (10 + t))
      mean = d * mean + (1 - d) * t
    end
    opt:swap_ema()
    near.check(w:detach(), { mean })
    opt:swap_ema()
    near.check(w:detach(), { 30 })
  end)

  it("reads and sets its fields", function()
    local w = parameter { 1 }
    local opt = optim.sgd({ w }, { lr = 0.1, momentum = 0.5 })
    assert.equal(0.1, opt.lr)
    assert.equal(0.5, opt.momentum)
    assert.equal("sgd", opt.rule)
    opt.lr, opt.momentum, opt.nesterov = 0.3, 0.8, true
    assert.equal(0.3, opt.lr)
    assert.equal(0.8, opt.momentum)
    assert.equal(1, opt.nesterov)
    assert.equal(0, opt.t)
    assert.is_nil(opt.penalty)
    local reg = P.l1(1)
    opt.penalty = reg
    assert.equal(reg, opt.penalty)
    assert.equal(1, opt:get_lambda "l1")
    opt:set_lambda("l1", 0.25)
    opt.nesterov = false
    w.grad = lariat.zeros(1, double)
    opt:step()
    near.check(w:detach(), { 1 - 0.3 * 0.25 })
    opt.penalty = nil
    opt:step()
    near.check(w:detach(), { 1 - 0.3 * 0.25 })
    assert.is_truthy(tostring(opt):find("sgd: lr = 0.3, momentum = 0.8", 1, true))
    assert.is_truthy(tostring(opt):find("1 parameters of 1 numbers, 2 steps", 1, true))
  end)

  it("a recipe can be bound many times", function()
    local recipe = optim.adam { lr = 0.02, betas = { 0.8, 0.9 } }
    assert.equal(0.02, recipe.lr)
    assert.equal(1e-8, recipe.eps)
    local a, b = parameter { 1 }, parameter { 1 }
    local one, two = optim.bind(recipe, { a }), optim.bind(recipe, { b }, P.l2(1))
    assert.equal(0.8, one.beta1)
    assert.is_nil(one.penalty)
    assert.is_true(P.is(two.penalty))
    assert.equal(one, optim.bind(one, { a }))
    assert.equal("amsgrad", optim.bind(optim.adam { amsgrad = true }, { a }).rule)
    assert.equal("adam", optim.bind("adam", { a }).rule)
  end)

  it("follows a model to another dtype", function()
    local net = nn.linear(2, 1)
    local opt = optim.adam(net, { lr = 0.1, ema = 0.9, penalty = P.elastic_net(0.01) })
    local x, y = lariat.ones(3, 2), lariat.ones(3, 1)
    run(opt, function() return lariat.loss.squared(net(x), y) end, 3)
    net:to "float64"
    x, y = x:double(), y:double()
    run(opt, function() return lariat.loss.squared(net(x), y) end, 3)
    assert.equal("float64", net:parameter "weight".dtype)
    assert.equal(6, opt.t)
  end)

  it("says what is wrong in one sentence", function()
    local w = parameter { 1 }
    local function fails(fn, ...)
      local ok, why = pcall(fn)
      assert.is_false(ok, "no error")
      for _, what in ipairs { ... } do
        assert.is_truthy(tostring(why):find(what, 1, true), tostring(why))
      end
    end
    for _, bad in ipairs { 0, -1, 0 / 0, math.huge } do
      fails(function() optim.sgd { lr = bad } end, "sgd: lr = ", "it must be above 0")
    end
    fails(function() optim.sgd { mometum = 1 } end,
      "unknown key 'mometum'; did you mean 'momentum'?")
    fails(function() optim.sgd { momentum = 1 } end, "sgd: momentum = 1 is outside [0, 1)")
    fails(function() optim.sgd { betas = { 0.9, 0.9 } } end, "sgd: unknown key 'betas'")
    fails(function() optim.adam { betas = { 0.9 } } end, "betas must be a list of two")
    fails(function() optim.adam { weight_decay = 0.1 } end, "no weight_decay", "penalty.l2")
    fails(function() optim.sgd { clip_norm = -1 } end, "clip_norm = -1")
    fails(function() optim.sgd { ema = 1 } end, "ema = 1", "[0, 1)")
    fails(function() optim.sgd({ w }, { penalty = 3 }) end, "expects a penalty")
    fails(function() optim.sgd({ w }, { groups = { { on = "7.*" } } }) end,
      "sgd: group 1 on '7.*' matches no parameter; there are: 1 (1)")
    fails(function() optim.sgd({ w }, { groups = { { lr = 1 } } }) end, "a group needs on")
    fails(function() optim.sgd { groups = { { on = "*", lrr = 1 } } } end, "key 'lrr'")
    fails(function() optim.sgd { groups = { on = "*" } } end, "must be a list of tables")
    fails(function() optim.sgd({ lariat.ones(1) }, {}) end,
      "sgd: every parameter of the model is frozen")
    fails(function() optim.sgd({ lariat.ones(1):long() }, {}) end, "is int64")
    fails(function() optim.sgd({}, {}) end, "no parameters")
    fails(function() optim.sgd({ 1 }, {}) end, "item 1 of the list is a number, not a tensor")
    fails(function() optim.sgd { lr = 1 }:step() end, "this is a recipe")
    fails(function() optim.sgd({ w }, { penalty = P.l1():on "x" }) end, "matches no parameter")
    fails(function() optim.bind("adamm", { w }) end, "no rule 'adamm'; did you mean 'adam'?")
    local opt = optim.sgd({ w }, { lr = 0.1 })
    fails(function() opt.lr = -1 end, "lr = -1")
    fails(function() opt.beta1 = 1 end, "has no 'beta1'")
    fails(function() return opt.beta1 end, "has no 'beta1'")
    fails(function() opt:set_lambda("l1", 1) end, "penalty")
    fails(function() opt:load_state(optim.adam({ w }, {}):state()) end, "state of 'adam'")
    fails(function() opt.penalty = P.l1():on "x" end, "matches no parameter")
    assert.is_nil(opt.penalty)
  end)
end)

-- Failing allocations ---------------------------------------------------------------------

describe("at any failing allocation", function()
  local core = lariat.core

  -- fn(make) with the n-th allocation failing, n = 0, 1, ... until it succeeds; nothing leaks.
  local function survives(fn)
    fn()
    local n = 0
    repeat
      collectgarbage()
      collectgarbage()
      local live = core.mem_live()
      core.mem_fail_after(n)
      local ok, why = pcall(fn)
      core.mem_fail_after(-1)
      collectgarbage()
      collectgarbage()
      assert.equal(live, core.mem_live(), "blocks left at allocation " .. n)
      if not ok then assert.is_truthy(tostring(why):find "out of memory", tostring(why)) end
      n = n + 1
    until ok
    assert.is_true(n > 1)
  end

  local w = lariat.tensor({ { 1, -2 }, { 0.5, 3 } }, double)

  it("penalties are whole", function()
    survives(function()
      local reg = 0.1 * P.l1 { weights = w ^ 2 } + P.elastic_net(0.2):on { "1.*", "weight" }
        + P.group_lasso { groups = { { 1, 2 }, { 3 } } } + P.max_norm(1)
        + P.new {
          value = function(_, v) return v:sum() end, prox = function(_, v) return v end,
        }
      tostring(reg)
      reg:describe()
      reg:value(w)
      reg:terms(w)
      reg:gradient(w)
      reg:prox(w, 0.5)
      reg:prox(w, w ^ 2)
    end)
  end)

  it("optimisers are whole", function()
    local net = nn.linear(2, 2)
    net = net:to("float64") or net
    for _, q in net:parameters() do q.grad = lariat.ones(q.shape, double) end
    survives(function()
      local opt = optim.amsgrad(net, {
        lr = 0.1, clip_norm = 1, ema = 0.9, groups = { { on = "bias", beta1 = 0.5 } },
        penalty = P.l2(0.1) + P.group_lasso { by = "input" } + P.max_norm(2),
      })
      opt:step()
      opt:swap_ema()
      local state = opt:state()
      opt:load_state(state)
      opt.penalty = P.l1(0.1)
      tostring(opt)
    end)
  end)

  it("steps after the first allocate nothing", function()
    for _, rule in ipairs(step_rules) do
      local a = parameter { { 1, 2 }, { 3, 4 } }
      a.grad = lariat.ones(2, 2, double)
      local opt = optim[rule.name]({ a }, {
        ema = 0.9, clip_norm = 1, penalty = P.l2(0.1) + P.elastic_net(0.1)
          + P.group_lasso { by = "input" } + P.max_norm(1),
      })
      opt:step()
      local count = core.mem_count()
      for _ = 1, 5 do opt:step() end
      assert.equal(count, core.mem_count(), rule.name)
    end
  end)
end)
