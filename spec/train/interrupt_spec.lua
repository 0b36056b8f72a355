-- Ctrl-C in a fit: it ends after the step at hand, whoever is at work then.
local shell = require "support.shell"

local SCRIPT = [[
local nn = lariat.nn
local net = nn.sequential { nn.linear(8, 16), nn.tanh(), nn.linear(16, 1) }
local d = { x = lariat.randn(512, 8), y = lariat.randn(512, 1) }
local function stop_in(seconds)
  os.execute(("(sleep %.2f; kill -INT $PPID) &"):format(seconds))
end
local function work() for k = 1, 2e5 do d.sum = k end end
]]

describe("Ctrl-C", function()
  local function run(body)
    local script = os.tmpname()
    shell.write(script, SCRIPT .. body)
    local out, err = shell.run(("timeout 60 %s %s"):format(shell.lariat, script))
    os.remove(script)
    return out, out .. err
  end

  for name, option in pairs {
    ["a loss in Lua"] = "loss = function(p, y) work() return (p - y):square():mean() end, "
      .. "dynamic = true",
    ["on_step"] = 'loss = "mse", on_step = work',
    ["on_epoch"] = 'loss = "mse", on_epoch = work',
    ["a schedule"] = 'loss = "mse", schedule = { lr = function() work() return 1e-3 end }',
    ["a fit within the fit"] = 'loss = "mse", on_epoch = function()\n'
      .. ' lariat.fit(net, d, { loss = "mse", epochs = 1e9 })\nend',
  } do
    it("ends a fit while " .. name .. " is at work, and it can go on #interrupt", function()
      local out, all = run(([[
        stop_in(0.4)
        local h = lariat.fit(net, d, { epochs = 1e9, %s })
        print(h.status, #h > 0)
        h = lariat.fit(net, d, { loss = "mse", epochs = #h + 1, resume = h })
        print(h.status)
      ]]):format(option))
      assert.equal("interrupted\ttrue\nmax_epochs\n", out, all)
    end)
  end

  it("a second time stops a hook that does not end #interrupt", function()
    local out, all = run [[
      stop_in(0.3)
      stop_in(0.6)
      print(pcall(lariat.fit, net, d, { loss = "mse", on_step = function()
        while true do end
      end }))
      print(lariat.fit(net, d, { loss = "mse", epochs = 1 }).status)
    ]]
    assert.is_truthy(out:find "^false\t.*interrupted!\nmax_epochs\n$", all)
  end)
end)
