-- lamb, ftrl and sharpness-aware steps against their papers' formulas in NumPy (figures and
-- command: spec/fixtures/numpy_optim.py); gradients collected over batches.
local lariat = require "lariat"
local near = require "spec.support.near"

local P, nn, optim = lariat.penalty, lariat.nn, lariat.optim
local figures = dofile "spec/fixtures/numpy_optim.lua"
local double = { dtype = "float64" }

local function tensor(t) return lariat.tensor(t, double) end

-- Steps of `opt` on the fixture's problem; `uphill` before each where it is asked for.
local function follow(name, opt, w, uphill)
  local a, c = tensor(figures.a), tensor(figures.c)
  local function f() return (a * (w - c) ^ 2):sum() / 2 end
  local row = 1
  for t = 1, figures.steps[#figures.steps] do
    opt:zero_grad()
    f():backward()
    if uphill then
      opt:ascend()
      f():backward()
    end
    opt:step()
    if t == figures.steps[row] then
      near.check(w:detach(), figures[name][row], { rel = 1e-9, abs = 1e-9, what = name })
      row = row + 1
    end
  end
  assert.equal(#figures.steps + 1, row)
end

local function start(values)
  local w = tensor(values)
  w.requires_grad = true
  return w
end

describe("a rule follows its paper:", function()
  it("lamb", function()
    local w = start(figures.start)
    local o = { lr = 0.05, betas = { 0.9, 0.99 }, weight_decay = 0.1 }
    follow("lamb", optim.lamb({ w }, o), w)
  end)

  it("ftrl", function()
    local w = start(lariat.zeros(3, 4):totable())
    follow("ftrl", optim.ftrl({ w }, { lr = 0.3 }), w)
  end)

  it("ftrl with l1 and l2, zeros and all", function()
    local w = start(lariat.zeros(3, 4):totable())
    local reg = P.elastic_net { lambda = 0.3, l1_ratio = 2 / 3 }
    follow("ftrl_net", optim.ftrl({ w }, { lr = 0.3, penalty = reg }), w)
    assert.is_true(w:eq(0):sum():item() > 0)
  end)

  it("sam over sgd", function()
    local w = start(figures.start)
    follow("sam", optim.sgd({ w }, { lr = 0.1, momentum = 0.5, sam = { rho = 0.2 } }), w, true)
  end)
end)

describe("ftrl", function()
  it("starts where the parameter is, and says what it cannot do", function()
    local w = start { 2, -3 }
    local opt = optim.ftrl({ w }, { lr = 0.1 })
    w.grad = tensor { 0, 1 }
    opt:step()
    near.check(w:detach(), { 2, -3 - 0.1 / 2 })
    opt = optim.ftrl({ w }, { lr = 0.1, penalty = P.slope(0.1) })
    local ok, why = pcall(opt.step, opt)
    assert.is_false(ok)
    local said = "ftrl: the prox of the penalty on '1' knows no metric"
    assert.is_truthy(tostring(why):find(said, 1, true), why)
    near.check(w:detach(), { 2, -3.05 })
  end)
end)

-- Sharpness ----------------------------------------------------------------------------------

describe("sam", function()
  local x, y = lariat.randn({ 12, 3 }, double), lariat.randn({ 12, 2 }, double)

  local function network()
    lariat.seed(2)
    local net = nn.sequential { nn.linear(3, 4), nn.tanh(), nn.linear(4, 2) }
    return net:to("float64") or net
  end

  it("in fit is ascend and step by hand", function()
    local one, two = network(), network()
    local options = { lr = 0.1, sam = { rho = 0.1 }, penalty = P.l1(0.01) + P.l2(0.02) }
    local history = lariat.fit(one, { x = x, y = y }, {
      loss = "squared", optimizer = optim.sgd(options), epochs = 5, batch_size = 12,
    })
    local opt = optim.sgd(two, options)
    for step = 1, 5 do
      opt:zero_grad()
      local loss = lariat.loss.squared(two(x), y)
      near.check(history[step].loss, loss:item(), { rel = 1e-12 })
      loss:backward()
      opt:ascend()
      lariat.loss.squared(two(x), y):backward()
      opt:step()
    end
    for name, p in one:parameters() do
      near.check(p:detach(), two:parameter(name):detach(), { rel = 1e-12, abs = 1e-14 })
    end
  end)

  it("goes back: by descend, and before a new ascent", function()
    local net = network()
    local opt = optim.sgd(net, { lr = 0.1, sam = 0.1 })
    assert.equal(0.1, opt.sam)
    local before = net:parameter("1.weight"):detach():clone()
    for _ = 1, 2 do
      lariat.loss.squared(net(x), y):backward()
      opt:ascend()
      assert.is_true((net:parameter("1.weight"):detach() - before):abs():max():item() > 0)
    end
    opt:descend()
    near.check(net:parameter("1.weight"):detach(), before, { rel = 0 })
  end)

  it("says what is wrong", function()
    local function fails(fn, what)
      local ok, why = pcall(fn)
      assert.is_false(ok)
      assert.is_truthy(tostring(why):find(what, 1, true), tostring(why))
    end
    fails(function() optim.sgd { sam = { rho = -1 } } end, "sam: rho = -1")
    fails(function() optim.sgd { sam = "yes" } end, "sam is a table such as { rho = 0.05 }")
    fails(function() optim.sgd { sam = { roh = 1 } } end, "did you mean 'rho'")
    fails(function() optim.sgd({ start { 1 } }, { lr = 1 }):ascend() end, "ascend needs")
  end)
end)

-- Several batches a step ---------------------------------------------------------------------

describe("fit { accumulate = k }", function()
  local x, y = lariat.randn({ 22, 3 }, double), lariat.randn({ 22, 2 }, double)
  local weight = lariat.rand({ 22 }, double) + 0.5

  local function train(options)
    lariat.seed(2)
    local net = nn.sequential { nn.linear(3, 4), nn.tanh(), nn.linear(4, 2) }
    net = net:to("float64") or net
    options.loss, options.epochs, options.shuffle = "squared", 3, false
    options.optimizer = optim.adam { lr = 0.05, penalty = P.l1(0.01), sam = options.sam }
    options.sam = nil
    local history = lariat.fit(net, { x = x, y = y, weight = weight }, options)
    return net, history
  end

  local function same(a, b)
    for name, p in a:parameters() do
      local other = b:parameter(name):detach()
      near.check(p:detach(), other, { rel = 1e-9, abs = 1e-12, what = name })
    end
  end

  it("takes the steps of batches k times as large, the last group included", function()
    local large, one = train { batch_size = 8 }
    local small, two = train { batch_size = 2, accumulate = 4 }
    same(large, small)
    assert.equal(9, one[3].step)
    assert.equal(9, two[3].step)
    near.check(one[3].loss, two[3].loss, { rel = 1e-9 })
  end)

  it("counts steps in hooks, schedules and max_steps", function()
    local seen, lrs = {}, {}
    train {
      batch_size = 2, accumulate = 4, max_steps = 5,
      on_step = function(s) seen[#seen + 1] = s.step end,
      schedule = { lr = function(s)
        lrs[#lrs + 1] = s.step
        return 0.01
      end },
    }
    assert.same({ 1, 2, 3, 4, 5 }, seen)
    assert.same({ 1, 2, 3, 4, 5 }, lrs)
  end)

  it("resumes between steps", function()
    local whole = train { batch_size = 2, accumulate = 4 }
    local function part(options)
      options.batch_size, options.accumulate = 2, 4
      return options
    end
    local net, history = train(part { max_steps = 4 })
    history = lariat.fit(net, { x = x, y = y, weight = weight },
      part { resume = history, shuffle = false })
    assert.equal(9, history[3].step)
    same(whole, net)
  end)

  it("goes with sharpness-aware steps, and says what is wrong", function()
    local net, history = train { batch_size = 2, accumulate = 4, sam = { rho = 0.05 } }
    assert.is_true(history[3].loss < history[1].loss)
    local plain = train { batch_size = 2, accumulate = 4 }
    assert.is_true((net:parameter("1.weight") - plain:parameter("1.weight")):abs():max():item()
      > 1e-6)
    assert.is_false(pcall(train, { accumulate = 0 }))
    assert.is_false(pcall(train, { accumulate = 1.5 }))
  end)
end)
