-- A run that is killed at any moment and resumed ends with the same bits.
local lariat = require "lariat"
local shell = require "support.shell"
local nn = lariat.nn

local SCRIPT = [[
local lariat = require "lariat"
local nn, P = lariat.nn, lariat.penalty
lariat.seed(1)
local d = lariat.data.split(lariat.data.digits(), { 400, 1397 }, { seed = 1 })
local net = nn.sequential { nn.linear(64, 16), nn.batch_norm(16), nn.relu(), nn.dropout(0.3),
  nn.linear(16, 10) }
local h = lariat.fit(net, d, { loss = "cross_entropy", validation = 0.2, epochs = 8,
  penalty = P.l1(1e-3) + P.weight_noise(1e-3), seed = 3,
  optimizer = lariat.optim.adam { lr = 1e-2, ema = 0.9 },
  schedule = { lr = lariat.schedule.plateau { patience = 1 } }, early_stop = { patience = 6 },
  checkpoint = arg[1] and { path = arg[1], resume = true } })
for name, p in net:parameters() do
  print(name)
  for _, v in ipairs(p:reshape(p.numel):totable()) do io.write(("%a "):format(v)) end
end
for _, r in ipairs(h) do print(("%a %a %a"):format(r.loss, r.val_loss, r.objective), r.lr) end
print(h.status, #h, h.best_epoch)
]]

describe("checkpoint", function()
  local script, path

  setup(function()
    script = os.tmpname()
    shell.write(script, SCRIPT)
  end)
  teardown(function() os.remove(script) end)
  before_each(function() path = os.tmpname() os.remove(path) end)
  after_each(function() os.execute("rm -f " .. path .. "*") end)

  local function run(with, before)
    return shell.run(("%s %s %s %s"):format(before or "", shell.lariat, script, with or ""))
  end

  it("changes nothing of the run it keeps", function()
    assert.equal((run()), (run(path)))
  end)

  -- Seconds, to a hundredth.
  local function clock()
    local f = assert(io.open "/proc/uptime")
    local seconds = f:read "n"
    f:close()
    return seconds
  end

  it("survives SIGKILL at 50 moments", function()
    local start = clock()
    local whole, killed, tries = run(), 0, 0
    for _ = 1, 4 do run() end
    local length = (clock() - start) / 5
    while killed < 50 do
      -- Two kills a run: at a moment of the first, and at one of what goes on from there.
      for _ = 1, 2 do
        tries = tries + 1
        local moment = length * (0.05 + 0.85 * (tries * 0.618034 % 1))
        local _, _, code = run(path, ("timeout -s KILL %.4f"):format(moment))
        if code ~= 0 then killed = killed + 1 end
      end
      assert.equal(whole, (run(path)), "after kill " .. killed)
      os.remove(path)
      assert.is_true(tries < 400, killed .. " of 400 runs were killed before their end")
    end
  end)

  local function small()
    return nn.sequential { nn.linear(3, 2), nn.tanh(), nn.linear(2, 1) }
  end

  local function fit(net, opts)
    local x = lariat.linspace(-1, 1, 24):reshape(8, 3)
    opts.loss, opts.progress = "mse", false
    return lariat.fit(net, { x = x, y = x:sum(2, { keepdim = true }) }, opts)
  end

  -- Weights, buffers, losses and how it ended, as text.
  local function traces_of(h, net)
    local out = { tostring(h.status), tostring(h.reason) }
    for _, each in ipairs { net.parameters, net.buffers } do
      for name, t in each(net) do
        out[#out + 1] = name
        for _, v in ipairs(t:detach():reshape(t.numel):totable()) do
          out[#out + 1] = ("%a"):format(v)
        end
      end
    end
    for _, r in ipairs(h) do out[#out + 1] = ("%a %a"):format(r.loss, r.objective) end
    return table.concat(out, "\n")
  end

  -- Their last look at the data is not saved: taken anew, it must leave neither noise nor
  -- running means behind. owlqn ends before its epochs here.
  for _, rule in ipairs { "lbfgs", "owlqn", "fista", "svrg", "newton_cg" } do
    it("keeps a run of " .. rule .. " with noise and running means", function()
      local function go(epochs, opts)
        lariat.seed(4)
        local net = nn.sequential { nn.linear(3, 4), nn.batch_norm(4), nn.dropout(0.3),
          nn.linear(4, 1) }
        if rule == "owlqn" then net = nn.linear(3, 1) end
        opts.optimizer, opts.epochs, opts.seed = rule, epochs, 2
        return traces_of(fit(net, opts), net)
      end
      local whole = go(30, {})
      for at = 1, 7, 2 do
        go(at, { checkpoint = path })
        assert.equal(whole, go(30, { resume = path }), "from epoch " .. at)
      end
      go(30, { checkpoint = path })
      assert.equal(whole, go(30, { resume = path }), "from its end")
    end)
  end

  it("goes on for more epochs, as if it had been asked for them at first", function()
    lariat.seed(5)
    local a = small()
    local b, c = a:clone(), a:clone()
    local whole = fit(a, { epochs = 9, seed = 2, batch_size = 3 })
    fit(b, { epochs = 4, seed = 2, batch_size = 3, checkpoint = path })
    local rest = fit(c, { epochs = 9, seed = 2, batch_size = 3, resume = path })
    assert.equal(9, #rest)
    for k = 1, 9 do assert.equal(whole[k].loss, rest[k].loss) end
    for name, p in a:parameters() do assert.same(p:totable(), c:parameter(name):totable()) end
  end)

  it("is written every so many epochs, and at the end", function()
    local seen = {}
    fit(small(), { epochs = 5, checkpoint = { path = path, every = 3 }, on_epoch = function(s)
      local f = io.open(path)
      seen[s.epoch] = f ~= nil
      if f then f:close() end
    end })
    assert.same({ false, false, false, true, true }, seen) -- hooks come before the writing
    assert.equal(5, #fit(small(), { epochs = 5, resume = path }))
  end)

  it("keeps a run that had stopped early stopped", function()
    local opts = { epochs = 50, validation = 0.3, checkpoint = path, seed = 1,
      early_stop = { patience = 1, min_delta = 1e9 } }
    local first = fit(small(), opts)
    opts.resume = path
    local again = fit(small(), opts)
    assert.equal("early_stop", again.status)
    assert.equal(#first, #again)
  end)

  it("says which tensor another architecture has", function()
    fit(small(), { epochs = 1, checkpoint = path })
    local wide = nn.sequential { nn.linear(3, 4), nn.tanh(), nn.linear(4, 1) }
    local before = wide:parameter("3.weight"):totable()
    assert.error_matches(function() fit(wide, { epochs = 2, resume = path }) end,
      "another model: '1%.weight' is float32 %([%d, ]+%) there and float32 %([%d, ]+%) here")
    assert.same(before, wide:parameter("3.weight"):totable())
    assert.error_matches(function()
      fit(nn.sequential { nn.linear(3, 2), nn.tanh() }, { epochs = 2, resume = path })
    end, "it has '3%.%l+' %([%d, ]+%), which is not here")
    assert.error_matches(function()
      fit(nn.sequential { small(), nn.linear(1, 1) }, { epochs = 2, resume = path })
    end, "it has no '%g+'")
  end)

  it("refuses what is no checkpoint", function()
    assert.error_matches(function() fit(small(), { resume = path }) end, "No such file")
    shell.write(path, "nothing of the kind")
    assert.error_matches(function() fit(small(), { resume = path }) end,
      "not a safetensors file")
    shell.write(path, ("\2\0\0\0\0\0\0\0{}"))
    assert.error_matches(function() fit(small(), { resume = path }) end, "not a checkpoint")
    assert.error_matches(function() fit(small(), { resume = 7 }) end,
      "resume takes the history")
    assert.error_matches(function() fit(small(), { checkpoint = { every = 2 } }) end,
      "checkpoint.path must be the name of a file")
    assert.error_matches(function() fit(small(), { checkpoint = { paht = path } }) end,
      "unknown key 'paht'; did you mean 'path'")
    fit(small(), { epochs = 1, checkpoint = path })
    assert.error_matches(function()
      fit(small(), { epochs = 2, resume = path, optimizer = "sgd" })
    end, "sgd: load_state: this is the state of 'adam'")
  end)

  it("trains on when the disk is full, and leaves the old file as it was", function()
    local small_file = ([[
      local lariat = require "lariat"
      local net = lariat.nn.sequential { lariat.nn.linear(%s, 1) }
      local x = lariat.ones(4, %s)
      local h = lariat.fit(net, { x = x, y = x:sum(2, { keepdim = true }) }, { loss = "mse",
        epochs = 3, optimizer = "sgd", checkpoint = "%s" })
      print(#h, h.status)]])
    local one = os.tmpname()
    finally(function() os.remove(one) end)
    shell.write(one, small_file:format(2, 2, path))
    assert.equal("3\tmax_epochs\n", (shell.run(shell.lariat .. " " .. one)))
    local f = assert(io.open(path, "rb"))
    local old = f:read "a"
    f:close()
    shell.write(one, small_file:format(20000, 20000, path))
    local out, err = shell.run(("ulimit -f 32; %s %s"):format(shell.lariat, one))
    assert.equal("3\tmax_epochs\n", out)
    assert.matches("checkpoint: .*: File too large; training goes on", err)
    f = assert(io.open(path, "rb"))
    assert.equal(old, f:read "a")
    f:close()
    local _, listed = shell.run("ls " .. path .. "*")
    assert.equal("", listed)
  end)
end)
