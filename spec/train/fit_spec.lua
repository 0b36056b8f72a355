-- The training loop: every status, option and kind of data; what it refuses.
local lariat = require "lariat"
local nn, P, optim = lariat.nn, lariat.penalty, lariat.optim

local function problem(n)
  lariat.seed(11)
  local x = lariat.randn(n or 60, 3)
  return x, x:mv(lariat.tensor { 1, -2, 0.5 }):reshape(-1, 1)
end

local function net(seed)
  lariat.seed(seed or 1)
  return nn.sequential { nn.linear(3, 8), nn.tanh(), nn.linear(8, 1) }
end

local function fit(model, data, opts)
  opts.loss = opts.loss or "squared"
  opts.optimizer = opts.optimizer or optim.sgd { lr = 0.05 }
  opts.progress = false
  return lariat.fit(model, data, opts)
end

local function weights(model)
  local all = {}
  for name, p in model:parameters() do all[name] = p:totable() end
  return all
end

describe("fit", function()
  local x, y = problem()

  it("lowers the objective and records each epoch", function()
    local h = fit(net(), { x = x, y = y }, { epochs = 20, batch_size = 16, seed = 1 })
    assert.equal(20, #h)
    assert.equal("max_epochs", h.status)
    assert.is_true(h[20].loss < h[1].loss / 5)
    for i, record in ipairs(h) do
      assert.equal(i, record.epoch)
      assert.equal(4 * i, record.step)
      assert.is_true(record.seconds >= 0 and record.lr == 0.05)
      assert.near(record.loss + record.penalty, record.objective, 1e-12)
    end
  end)

  it("reports each term of the penalty", function()
    local model = net()
    local h = fit(model, { x = x, y = y }, { epochs = 3, penalty = P.l1(0.01) + 0.1 * P.l2() })
    local last = h[3]
    assert.near(last.penalty_l1 + last.penalty_l2, last.penalty, 1e-9)
    local terms = (P.l1(0.01) + 0.1 * P.l2()):terms(model)
    assert.near(terms.l1, last.penalty_l1, 1e-6)
    assert.near(terms.l2, last.penalty_l2, 1e-6)
  end)

  it("gives the same bits for the same seed, and others for another", function()
    local function go(seed)
      local model = nn.sequential { nn.linear(3, 8, { init = "ones" }), nn.dropout(0.3),
        nn.linear(8, 1, { init = "ones" }) }
      fit(model, { x = x, y = y }, { epochs = 3, batch_size = 8, seed = seed,
        optimizer = optim.adam { lr = 0.01 } })
      return weights(model)
    end
    lariat.seed(5)
    local a = go(3)
    lariat.seed(5)
    assert.same(a, go(3))
    lariat.seed(5)
    assert.not_same(a, go(4))
  end)

  it("is the loop by hand", function()
    local model, twin = net(), net()
    fit(model, { x = x, y = y }, { epochs = 2, batch_size = 20, shuffle = false,
      penalty = P.l1(0.01) })
    local opt = optim.sgd(twin, { lr = 0.05, penalty = P.l1(0.01) })
    for _ = 1, 2 do
      for first = 1, 60, 20 do
        local rows = { { first, first + 19 } }
        opt:zero_grad()
        lariat.loss.squared(twin(x[rows]), y[rows]):backward()
        opt:step()
      end
    end
    assert.same(weights(twin), weights(model))
  end)

  it("weights rows as if they were repeated", function()
    local model, twin = net(), net()
    local w = lariat.tensor { 1, 2, 3 }
    fit(model, { x = x[{ { 1, 3 } }], y = y[{ { 1, 3 } }], weight = w },
      { epochs = 5, optimizer = optim.gd { lr = 0.1 } })
    local rows = lariat.tensor({ 1, 2, 2, 3, 3, 3 }, { dtype = "int64" })
    fit(twin, { x = x[rows], y = y[rows] }, { epochs = 5, optimizer = optim.gd { lr = 0.1 } })
    for name, p in model:parameters() do
      assert.is_true((p - twin:parameter(name)):abs():max():item() < 1e-5)
    end
  end)
end)

describe("fit's data", function()
  local x, y = problem()

  it("comes from a function of the epoch", function()
    local epochs = {}
    local h = fit(net(), function(epoch)
      epochs[#epochs + 1] = epoch
      local k = 0
      return function()
        k = k + 1
        if k <= 3 then return x, y end
      end
    end, { epochs = 2 })
    assert.same({ 1, 2 }, epochs)
    assert.equal(6, h[2].step)
  end)

  it("comes as batches in tables, with weights", function()
    local h = fit(net(), function()
      local done
      return function()
        if done then return nil end
        done = true
        return { x = x, y = y, weight = lariat.ones(60) }
      end
    end, { epochs = 2 })
    assert.equal(2, h[2].step)
  end)

  it("comes from lariat.data.batches", function()
    local b = lariat.data.batches { x = x, y = y, batch_size = 25 }
    local h = fit(net(), b, { epochs = 2 })
    assert.equal(6, h[2].step)
  end)

  it("is tables of numbers, data sets, and targets without the column", function()
    local rows = { x = { { 1 }, { 2 } }, y = { { 1 }, { 2 } } }
    local h = fit(nn.linear(1, 1), rows, { epochs = 1 })
    assert.equal("max_epochs", h.status)
    h = fit(net(), { x = x, y = y:reshape(-1) }, { epochs = 2 })
    assert.equal("max_epochs", h.status)
    local d = lariat.data.iris()
    h = fit(nn.linear(4, 3), d,
      { loss = "cross_entropy", epochs = 2, metrics = { "accuracy" } })
    assert.is_true(h[2].accuracy > 0)
  end)

  it("may be of another float dtype than the model", function()
    local h = fit(net(), { x = x:double(), y = y:double() }, { epochs = 1 })
    assert.equal("max_epochs", h.status)
  end)
end)

describe("fit ends with", function()
  local x, y = problem()

  it("max_epochs, also by max_steps", function()
    local h = fit(net(), { x = x, y = y }, { epochs = 100, batch_size = 20, max_steps = 7 })
    assert.equal("max_epochs", h.status)
    assert.equal(7, h:last().step)
  end)

  it("early_stop, and the best weights", function()
    local model = net()
    local seen = {}
    local h = fit(model, { x = x[{ { 1, 5 } }], y = y[{ { 1, 5 } }] }, {
      epochs = 400, optimizer = optim.adam { lr = 0.05 },
      validation = { x = x[{ { 6, 60 } }], y = y[{ { 6, 60 } }] },
      early_stop = { monitor = "val_loss", patience = 5, restore_best = true },
      on_epoch = function(state) seen[state.epoch] = weights(model) end,
    })
    assert.equal("early_stop", h.status)
    local best, epoch = h:best "val_loss"
    assert.equal(epoch, h.best_epoch)
    assert.equal(#h, epoch + 5)
    assert.same(seen[epoch], weights(model))
    local now = lariat.loss.squared(model:predict(x[{ { 6, 60 } }]), y[{ { 6, 60 } }]):item()
    assert.near(best.val_loss, now, 1e-6)
  end)

  it("stopped, by a hook, with its reason", function()
    local h = fit(net(), { x = x, y = y }, {
      epochs = 50,
      on_epoch = function(s) if s.epoch == 3 then s:stop "good enough" end end,
    })
    assert.equal("stopped", h.status)
    assert.equal("good enough", h.reason)
    assert.equal(3, #h)
    h = fit(net(), { x = x, y = y }, {
      epochs = 50, batch_size = 10,
      on_step = function(s) if s.step == 8 then s:stop() end end,
    })
    assert.equal(8, h:last().step)
  end)

  it("converged, by the objective or the gradient", function()
    local opts = { epochs = 5000, optimizer = optim.gd { lr = 0.2 } }
    opts.tol = 1e-7
    local h = fit(nn.linear(3, 1), { x = x, y = y }, opts)
    assert.equal("converged", h.status)
    assert.is_true(#h < 5000)
    opts.tol, opts.grad_tol = nil, 1e-4
    opts.optimizer = optim.gd { lr = 0.2 }
    assert.equal("converged", fit(nn.linear(3, 1), { x = x, y = y }, opts).status)
  end)

  it("diverged, with weights that are numbers", function()
    local model = nn.linear(3, 1)
    local h = fit(model, { x = x, y = y }, { epochs = 2000, optimizer = optim.gd { lr = 50 } })
    assert.equal("diverged", h.status)
    for _, p in model:parameters() do assert.is_true(p:isfinite():all():item()) end
  end)

  it("time_limit", function()
    local h = fit(net(), { x = x, y = y }, { epochs = math.huge, time_limit = 0.05 })
    assert.equal("time_limit", h.status)
    assert.is_true(h.seconds < 5)
  end)
end)

describe("fit's resume", function()
  local x, y = problem()

  local function model()
    lariat.seed(2)
    return nn.sequential { nn.linear(3, 8), nn.dropout(0.2), nn.linear(8, 1) }
  end
  local function opts(more)
    local o = { epochs = 6, batch_size = 8, optimizer = optim.adam { lr = 0.02 }, seed = 4,
      penalty = P.l1(0.001) }
    for k, v in pairs(more or {}) do o[k] = v end
    return o
  end

  for _, at in ipairs { 8, 19, 33 } do
    it("goes on as if nothing had happened, step " .. at, function()
      local whole = model()
      local h = fit(whole, { x = x, y = y }, opts())
      local cut = model()
      local first = fit(cut, { x = x, y = y }, opts { on_step = function(s)
        if s.step == at then s:stop() end
      end })
      local again = lariat.fit(cut, { x = x, y = y },
        { resume = first, batch_size = 8, progress = false })
      assert.equal("max_epochs", again.status)
      assert.equal(#h, #again)
      assert.equal(h:last().step, again:last().step)
      assert.same(weights(whole), weights(cut))
    end)
  end
end)

describe("fit's hyper-parameters", function()
  local x, y = problem()

  it("move by schedules and functions", function()
    local seen = {}
    local h = fit(net(), { x = x, y = y }, {
      epochs = 4, batch_size = 20, optimizer = optim.sgd { lr = 0.1, momentum = 0.5 },
      penalty = P.l1(0.01),
      schedule = {
        lr = function(s, base) return base / s.step end,
        momentum = function(s) return s.epoch / 10 end,
        ["penalty.l1"] = lariat.schedule.constant(0.02),
      },
      on_step = function(s) seen[#seen + 1] = s.lr end,
    })
    assert.near(0.1, seen[1], 1e-12)
    assert.near(0.1 / 12, seen[12], 1e-12)
    assert.near(0.1 / 12, h[4].lr, 1e-12)
  end)

  it("see lambda as a function of the state, every step", function()
    local steps = {}
    fit(net(), { x = x, y = y }, { epochs = 2, batch_size = 20,
      penalty = P.l1 { lambda = function(s)
        steps[s.step] = true
        return 0.01
      end } })
    for k = 1, 6 do assert.is_true(steps[k]) end
  end)

  it("move dropout", function()
    local model = nn.sequential { nn.linear(3, 4), nn.dropout(0.5), nn.linear(4, 1) }
    local h = fit(model, { x = x, y = y }, { epochs = 2,
      schedule = { dropout = function(s) return s.epoch == 1 and 0 or 0.9 end } })
    assert.equal(2, #h)
    assert.matches("0.9", tostring(model))
  end)
end)

describe("fit refuses", function()
  local x, y = problem()
  local function why(data, opts, model)
    local before = model and weights(model)
    local ok, message = pcall(fit, model or net(), data, opts)
    assert.is_false(ok)
    if model then assert.same(before, weights(model)) end
    return tostring(message)
  end

  it("unknown keys, naming the nearest", function()
    assert.matches("unknown key 'epoch'; did you mean 'epochs'",
      why({ x = x, y = y }, { epoch = 3 }))
    assert.matches("unknown metric 'acuracy'; did you mean 'accuracy'",
      why({ x = x, y = y }, { metrics = { "acuracy" } }))
  end)

  it("no loss, with an example of one", function()
    assert.error_matches(function()
      lariat.fit(nn.linear(2, 1), { x = lariat.ones(3, 2), y = lariat.ones(3, 1) }, {})
    end, "loss is missing; for example")
  end)

  it("labels for a single column of scores, which are no column of probabilities", function()
    local labels = lariat.tensor({ 1, 2, 1 }, { dtype = "int64" })
    assert.error_matches(function()
      fit(nn.linear(2, 1), { x = lariat.ones(3, 2), y = labels }, { loss = "cross_entropy" })
    end, "label 2 in row %d is not in 1%.%.1")
  end)

  it("NaN in the data, naming the column and the row", function()
    local bad = x:clone()
    bad[{ 7, 2 }] = 0 / 0
    local model = net()
    assert.matches("x has %-?nan in column 2 %(row 7%)", why({ x = bad, y = y }, {}, model))
    assert.matches("x has inf in column 3", (function()
      bad = x:clone()
      bad[{ 1, 3 }] = math.huge
      return why({ x = bad, y = y }, {}, model)
    end)())
  end)

  it("labels out of range, naming the row", function()
    local labels = lariat.tensor({ 1, 2, 4 }, { dtype = "int64" })
    local model = nn.linear(3, 3)
    local m = why({ x = x[{ { 1, 3 } }], y = labels },
      { loss = "cross_entropy", shuffle = false }, model)
    assert.matches("4", m)
    assert.matches("row 3", m)
    assert.matches("1%.%.3", m)
  end)

  it("rows that do not agree, and data that is none", function()
    assert.matches("data.y has 59 rows, data.x has 60",
      why({ x = x, y = y[{ { 1, 59 } }] }, {}))
    assert.matches("must be {x=, y=}", why({}, {}))
    assert.matches("has no batches", why(function() return function() end end, {}))
    assert.matches("not an iterator", why(function() return 3 end, {}))
  end)

  it("a scope that matches nothing, listing what there is", function()
    local m = why({ x = x, y = y }, { penalty = P.l1(0.1):on "7.weight" })
    assert.matches("7.weight", m)
    assert.matches("1.weight", m)
  end)

  it("a monitor that is not there, listing what there is", function()
    local m = why({ x = x, y = y }, { early_stop = true })
    assert.matches("val_loss", m)
    assert.matches("objective", m)
  end)

  it("nothing to train", function()
    assert.matches("no parameters", why({ x = x, y = y }, {}, nn.sequential { nn.relu() }))
  end)

  it("a loss that is no number, and settings out of range", function()
    assert.matches("take its mean",
      why({ x = x, y = y }, { loss = function(p) return p end }))
    assert.matches("returned a number",
      why({ x = x, y = y }, { loss = function() return 3 end }))
    assert.matches("batch_size = 0", why({ x = x, y = y }, { batch_size = 0 }))
    assert.matches("epochs = 2.5", why({ x = x, y = y }, { epochs = 2.5 }))
    assert.matches("no hyper%-parameter 'lrr'",
      why({ x = x, y = y }, { schedule = { lrr = 1 } }))
  end)

  it("a hook that errors, with its own error object, keeping the last whole step", function()
    local model, object = net(), setmetatable({}, { __tostring = function() return "mine" end })
    local after
    local ok, e = pcall(fit, model, { x = x, y = y }, {
      epochs = 5, on_step = function(s)
        if s.step == 4 then
          after = weights(model)
          error(object)
        end
      end,
    })
    assert.is_false(ok)
    assert.equal(object, e)
    assert.same(after, weights(model))
    assert.is_true(model.training)
  end)

  it("a lambda that turns negative", function()
    local m = why({ x = x, y = y }, { penalty = P.l1 { lambda = function() return -1 end } })
    assert.matches("%-1", m)
  end)
end)

describe("fit keeps", function()
  local x, y = problem()

  it("no memory after the run", function()
    local function go()
      fit(net(), { x = x, y = y }, { epochs = 2, validation = { x = x, y = y },
        metrics = { "mae" }, penalty = P.l1(0.01), optimizer = optim.adam { lr = 0.01 } })
    end
    go()
    collectgarbage() collectgarbage()
    local before = lariat.core.mem_live()
    go()
    collectgarbage() collectgarbage()
    assert.equal(before, lariat.core.mem_live())
  end)

  it("nothing when memory runs out at any allocation", function()
    local model = net()
    local function go()
      fit(model, { x = x, y = y }, { epochs = 1, validation = { x = x, y = y },
        penalty = P.l1(0.01), optimizer = optim.adam { lr = 0.01 } })
    end
    go()
    collectgarbage() collectgarbage()
    local before = lariat.core.mem_live()
    for n = 0, 100000, 7 do
      lariat.core.mem_fail_after(n)
      local ok = pcall(go)
      lariat.core.mem_fail_after(-1)
      collectgarbage() collectgarbage()
      assert.equal(before, lariat.core.mem_live(), "after failing allocation " .. n)
      if ok then break end
    end
  end)

  it("frozen parameters where they are, decay included", function()
    local model = net()
    model:freeze "1.*"
    local before = model:parameter("1.weight"):totable()
    fit(model, { x = x, y = y }, { epochs = 3, penalty = P.l2(0.1) + P.l1(0.1),
      optimizer = optim.adamw { lr = 0.01, weight_decay = 0.1 } })
    assert.same(before, model:parameter("1.weight"):totable())
  end)
end)
