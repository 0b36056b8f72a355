-- Named tensors in a file, and tables as JSON.
local lariat = require "lariat"
local shell = require "support.shell"
local core = lariat.core

describe("safetensors", function()
  local path
  before_each(function() path = os.tmpname() end)
  after_each(function() os.remove(path) end)

  it("gives back what was saved, in every dtype and shape", function()
    local made = {
      a = lariat.randn(3, 4), b = lariat.randn(2, 2, 2, { dtype = "float64" }),
      c = lariat.tensor({ 1, -2 ^ 40 }, { dtype = "int64" }), e = lariat.zeros(0, 3),
      d = lariat.tensor { true, false, true }, ["name with \"quotes\" and ü"] = lariat.ones(1),
    }
    local names, values = {}, {}
    for name, t in pairs(made) do names[#names + 1], values[#values + 1] = name, t end
    assert.is_true(core.pack_save(path, names, values, "some text"))
    local read, text = core.pack_read(path)
    assert.equal("some text", text)
    for name, t in pairs(made) do
      assert.equal(t.dtype, read[name].dtype)
      assert.same(t.shape, read[name].shape)
      assert.same(t:totable(), read[name]:totable())
    end
  end)

  -- Bytes of a file with that head.
  local function file(head, body)
    return string.pack("<I8", #head) .. head .. (body or "")
  end

  it("reads what another program wrote", function()
    shell.write(path, file('{"w":{"dtype":"F32","shape":[2],"data_offsets":[4,12]},'
      .. '"b":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}', string.pack("<fff", 1, 2, 3)))
    local read = core.pack_read(path)
    assert.same({ 2, 3 }, read.w:totable())
    assert.equal(1, read.b:item())
  end)

  it("says what is wrong with a file", function()
    local function why(bytes)
      shell.write(path, bytes)
      local read, reason = core.pack_read(path)
      assert.is_nil(read)
      return reason
    end
    assert.matches("cut off", why "")
    assert.matches("cut off", why(string.pack("<I8", 100) .. "{}"))
    assert.matches("cut off", why(string.pack("<i8", -1) .. "{}"))
    assert.matches("no JSON", why(file "[1, 2]"))
    assert.matches("no JSON", why(file "{"))
    local function entry(dtype, shape, from, to)
      return file(('{"w":{"dtype":%s,"shape":%s,"data_offsets":[%s,%s]}}'):format(dtype, shape,
        from, to), ("x"):rep(8))
    end
    assert.matches("'w' has a dtype other than", why(entry('"F16"', "[2]", 0, 4)))
    assert.matches("a dtype other than", why(entry("7", "[2]", 0, 8)))
    assert.matches("a bad shape", why(entry('"F32"', "[-2]", 0, 8)))
    assert.matches("a bad shape", why(entry('"F32"', "[1.5]", 0, 8)))
    assert.matches("a bad shape", why(entry('"F32"', '"x"', 0, 8)))
    assert.matches("a bad shape", why(entry('"F32"', "[1,1,1,1,1,1,1,1,2]", 0, 8)))
    assert.matches("a bad shape",
      why(entry('"F32"', "[9007199254740992,9007199254740992]", 0, 8)))
    assert.matches("not where its head says", why(entry('"F32"', "[2]", 0, 12)))
    assert.matches("not where its head says", why(entry('"F32"', "[2]", 4, 0)))
    assert.matches("not where its head says", why(entry('"F32"', "[3]", 0, 8)))
    assert.matches("not where its head says", why(entry('"F32"', "[2]", "null", 8)))
    assert.matches("not where its head says", why(file '{"w":{"dtype":"F32","shape":[2]}}'))
    assert.matches("a dtype other than", why(file '{"w":3}'))
    assert.matches("No such file", select(2, core.pack_read "no-such-file"))
  end)
end)

describe("json", function()
  local function back(value) return core.json_decode(core.json_encode(value)) end

  it("brings back numbers to the bit, integers as integers", function()
    for _, v in ipairs { 0.1, 1 / 3, -1e-310, 1e300, 3.0, -0.0, 7, -2 ^ 53 | 0, math.maxinteger,
      math.mininteger, math.huge, -math.huge } do
      assert.equal(v, back(v))
      assert.equal(math.type(v), math.type(back(v)))
    end
    assert.is_true(back(0 / 0) ~= back(0 / 0))
    assert.equal(-math.huge, 1 / back(-0.0))
  end)

  it("brings back tables", function()
    local v = { list = { 1, "two", { x = true, y = false } }, text = "ü\n\"", empty = {} }
    assert.same(v, back(v))
  end)

  it("refuses what it cannot write", function()
    for _, v in ipairs { print, { f = print }, { [1.5] = 1 }, { [true] = 1 } } do
      assert.error_matches(function() core.json_encode(v) end, "json: only numbers, strings")
    end
    local loop = {}
    loop.loop = loop
    assert.error_matches(function() core.json_encode(loop) end, "json: only")
    assert.is_nil(core.json_decode "{")
  end)
end)
