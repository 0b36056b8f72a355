-- Lua's collector is told of the bytes that tensors hold: temporaries do not pile up.
local lariat = require "lariat"

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
end)
