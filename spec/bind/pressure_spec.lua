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

-- The most bytes that tensors hold while fn runs n times, above what other specs have left.
local function most_of(n, fn)
  collectgarbage()
  collectgarbage()
  local _, before = lariat.core.mem_live()
  local most = before
  for _ = 1, n do
    fn()
    local _, bytes = lariat.core.mem_live()
    most = math.max(most, bytes)
  end
  return most - before, before
end

describe("temporaries", function()
  it("of a megabyte each stay below 200 MB without a call to collectgarbage", function()
    local a = lariat.zeros(512, 512)
    local most, before = most_of(1500, function() return a + 1 end)
    assert.is_true(most < 200e6 + before, most)
  end)

  it("that hold graphs go as well", function()
    local w = lariat.zeros(256, 256, { requires_grad = true })
    local most, before = most_of(500, function()
      local f = ((w * 2):exp() + w):sum()
      f:backward()
      w.grad = nil
    end)
    assert.is_true(most < 200e6 + before, most)
  end)

  local makers = {
    arange = function() return lariat.arange(100000) end,
    linspace = function() return lariat.linspace(0, 1, 100000) end,
    randint = function() return lariat.randint(1, 9, { 100000 }) end,
    randperm = function() return lariat.randperm(100000) end,
  }
  for name, make in pairs(makers) do
    it("made by " .. name .. " go too", function()
      local most, before = most_of(400, make)
      assert.is_true(most < 120e6 + before, most)
    end)
  end

  it("small ones are collected as often as before once large ones have pressed", function()
    local out = shell.run(shell.lariat .. " -e " .. shell.quote(SMALL))
    assert.is_true(tonumber(out) < 1.5, out)
  end)
end)
