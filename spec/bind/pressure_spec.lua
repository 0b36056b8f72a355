-- Lua's collector is told of the bytes that tensors hold: temporaries do not pile up.
local lariat = require "lariat"
local shell = require "support.shell"

-- What Lua's heap varies by under small temporaries, after a collection under pressure has
-- freed much.
local SMALL = [[
local a, b, held = lariat.zeros(512, 512), lariat.zeros(10), {}
for i = 1, 2e5 do held[i] = {} end
held = nil
for _ = 1, 100 do local _ = a + 1 end
local least, most = math.huge, 0
for _ = 1, 20000 do
  local _ = b + b
  local now = collectgarbage "count"
  least, most = math.min(least, now), math.max(most, now)
end
print(most / least)
]]

describe("temporaries", function()
  it("of a megabyte each stay below 200 MB without a call to collectgarbage", function()
    local a, most = lariat.zeros(512, 512), 0
    for _ = 1, 1500 do
      local b = a + 1
      local _, bytes = lariat.core.mem_live()
      most = math.max(most, bytes, b.numel)
    end
    assert.is_true(most < 200e6, most)
  end)

  it("that hold graphs go as well", function()
    local w, most = lariat.zeros(256, 256, { requires_grad = true }), 0
    for _ = 1, 500 do
      local f = ((w * 2):exp() + w):sum()
      f:backward()
      w.grad = nil
      local _, bytes = lariat.core.mem_live()
      most = math.max(most, bytes)
    end
    assert.is_true(most < 200e6, most)
  end)

  local makers = {
    arange = function() return lariat.arange(100000) end,
    linspace = function() return lariat.linspace(0, 1, 100000) end,
    randint = function() return lariat.randint(1, 9, { 100000 }) end,
    randperm = function() return lariat.randperm(100000) end,
  }
  for name, make in pairs(makers) do
    it("made by " .. name .. " go too", function()
      local _, before = lariat.core.mem_live()
      local most = before
      for _ = 1, 400 do
        make()
        local _, bytes = lariat.core.mem_live()
        most = math.max(most, bytes)
      end
      assert.is_true(most - before < 120e6, most - before)
    end)
  end

  it("small ones are collected as often as before once large ones have pressed", function()
    local out = shell.run(shell.lariat .. " -e " .. shell.quote(SMALL))
    assert.is_true(tonumber(out) < 1.5, out)
  end)
end)
