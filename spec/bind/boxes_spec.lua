-- Tensors go with the memory of their objects, not by finalisers.
local lariat = require "lariat"
local shell = require "spec.support.shell"

local function live() return (lariat.core.mem_live()) end

describe("a tensor", function()
  it("is gone after one collection", function()
    collectgarbage()
    local before = live()
    do
      local a = lariat.ones(3)
      for _ = 1, 1000 do a = a + 1 end
      assert.is_true(live() > before)
    end
    collectgarbage()
    assert.equal(before, live())
  end)

  it("is alive for a finaliser that reaches it", function()
    local sum
    local function finish(self) sum = self.t:sum():item() end
    setmetatable({ t = lariat.ones(3) }, { __gc = finish })
    collectgarbage()
    assert.equal(3, sum)
  end)

  it("goes at the end, and when the library was loaded twice", function()
    local script = [[
      local lariat = require "lariat"
      local a = lariat.ones(3)
      package.loaded["lariat.core"] = nil
      local again = require "lariat.core"
      for i = 1, 500 do a = a + again.rand({ 3 }) end
      local held = setmetatable({ a }, { __gc = function(t) print(#(t[1] + 1)) end })
      print(again ~= lariat.core, #held)
    ]]
    local out, err, status = shell.run(shell.lariat .. " -", script)
    assert.equal("", err)
    assert.equal("true\t1\n3\n", out)
    assert.equal(0, status)
  end)
end)
