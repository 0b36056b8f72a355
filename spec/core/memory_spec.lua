-- Bytes that Lua's collector does not see, and blocks that come back.
local lariat = require "lariat"
local core = lariat.core

local function resident()
  for line in io.lines "/proc/self/status" do
    local kb = line:match "^VmRSS:%s+(%d+)"
    if kb then return math.tointeger(kb) * 1024 end
  end
end

-- A sanitizer keeps what was freed for a while.
local checked = (os.getenv "LARIAT_BUILD" or ""):find "san" or false

local function bytes()
  return (select(2, core.mem_live()))
end

describe("memory", function()
  it("of 20000 temporaries of 1 MB stays small with no call to collectgarbage", function()
    collectgarbage()
    collectgarbage()
    local before, start = resident(), bytes()
    local most = 0
    local a = lariat.zeros(262144)
    for k = 1, 20000 do
      local t = k % 2 == 0 and a:view(512, 512) or a[{ { 1, 262144 } }]:clone()
      if k % 50 == 0 then t = a + 1 end
      most = math.max(most, t.numel, bytes() - start)
    end
    assert.is_true(most < 200e6, "bytes at once: " .. most)
    if not checked then assert.is_true(resident() - before < 256e6) end
  end)

  it("of a loop that records and differentiates stays small too", function()
    local w = lariat.ones(1000, { requires_grad = true })
    local most = 0
    for _ = 1, 3000 do
      local y = ((w * 2):exp() + w):sum()
      y:backward()
      most = math.max(most, bytes())
    end
    assert.is_true(most < 150e6, "bytes at once: " .. most)
  end)

  it("is counted in blocks and bytes, which go down again", function()
    collectgarbage()
    collectgarbage()
    local blocks, size = core.mem_live()
    local t = lariat.zeros(1000)
    local more, larger = core.mem_live()
    assert.is_true(more > blocks and more <= blocks + 2)
    assert.is_true(larger >= size + 4000)
    t:close()
    assert.equal(blocks, (core.mem_live()))
    local made = core.mem_count()
    t = lariat.zeros(1)
    assert.is_true(core.mem_count() > made)
    t:close()
    core.mem_trim()
    assert.equal(blocks, (core.mem_live()))
  end)

  it("that cannot be had is a sentence", function()
    local ok, message = pcall(lariat.zeros, 1 << 40)
    assert.is_false(ok)
    assert.is_truthy(message:find "out of memory", message)
    ok, message = pcall(lariat.zeros, 1 << 40, 1 << 40)
    assert.is_false(ok)
    assert.is_truthy(message:find "too large", message)
  end)
end)

describe("a word that is not known", function()
  it("is answered with the nearest that is", function()
    assert.equal("keepdim", core.nearest("kepdim", { "unbiased", "keepdim" }))
    local ok, message = pcall(function() return lariat.ones(2):sum { keepdims = true } end)
    assert.is_false(ok)
    local want = "sum: unknown key 'keepdims'; did you mean 'keepdim'?"
    assert.is_truthy(message:find(want, 1, true), message)
  end)
end)
