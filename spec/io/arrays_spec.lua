-- IDX and .npy files, built here byte by byte from their descriptions.
local lariat = require "lariat"
local shell = require "support.shell"

local data = lariat.data

local function with(bytes, f)
  local path = os.tmpname()
  shell.write(path, bytes)
  local ok, why = pcall(f, path)
  os.remove(path)
  if not ok then error(why, 0) end
end

local function slurp(path)
  local f = assert(io.open(path, "rb"))
  local bytes = f:read "a"
  f:close()
  return bytes
end

local function pack(format, ...)
  local out = {}
  for k, v in ipairs { ... } do out[k] = string.pack(format, v) end
  return table.concat(out)
end

local function npy(descr, order, shape, body, version)
  local head = ("{'descr': '%s', 'fortran_order': %s, 'shape': %s, }\n"):format(descr, order,
    shape)
  local size = version == 2 and string.pack("<I4", #head) or string.pack("<I2", #head)
  return "\x93NUMPY" .. string.char(version or 1, 0) .. size .. head .. body
end

local function reads(bytes, expected, dtype)
  with(bytes, function(path)
    local t = assert(data.npy(path))
    assert.equal(dtype, t.dtype)
    assert.same(expected, t.ndim == 0 and t:item() or t:totable())
  end)
end

local function refused(reader, bytes, sentence)
  with(bytes, function(path)
    local t, why = data[reader](path)
    assert.is_nil(t)
    assert.equal(("data.%s: %s: %s"):format(reader, path, sentence), why)
  end)
end

describe("npy", function()
  it("reads numbers of every kind and byte order", function()
    reads(npy("<f4", "False", "(2,)", pack("<f", 1.5, -2)), { 1.5, -2 }, "float32")
    reads(npy(">f8", "False", "(2,)", pack(">d", 0.1, -1e300)), { 0.1, -1e300 }, "float64")
    reads(npy("<f2", "False", "(5,)", pack("<I2", 0x3c00, 0xc000, 0x0001, 0x7c00, 0x8000)),
      { 1, -2, 2 ^ -24, math.huge, 0 }, "float32")
    reads(npy("<i8", "False", "(2,)", pack("<i8", math.mininteger, 7)),
      { math.mininteger, 7 }, "int64")
    reads(npy(">i2", "False", "(2,)", pack(">i2", -300, 300)), { -300, 300 }, "int64")
    reads(npy("|u1", "False", "(3,)", "\0\127\255"), { 0, 127, 255 }, "int64")
    reads(npy("<u4", "False", "(1,)", pack("<I4", 4000000000)), { 4000000000 }, "int64")
    reads(npy("|b1", "False", "(2,)", "\1\0"), { true, false }, "bool")
  end)

  it("reads any shape, in C and in Fortran order", function()
    local six = pack("<d", 1, 2, 3, 4, 5, 6)
    reads(npy("<f8", "False", "(2, 3)", six), { { 1, 2, 3 }, { 4, 5, 6 } }, "float64")
    reads(npy("<f8", "True", "(2, 3)", six), { { 1, 3, 5 }, { 2, 4, 6 } }, "float64")
    reads(npy("<f8", "True", "(1, 2, 3)", six), { { { 1, 3, 5 }, { 2, 4, 6 } } }, "float64")
    reads(npy("<f8", "False", "()", pack("<d", 7)), 7, "float64")
    reads(npy("<f8", "False", "(0,)", ""), {}, "float64")
    reads(npy("<f8", "False", "(1,)", pack("<d", 7), 2), { 7 }, "float64")
  end)

  it("converts when asked", function()
    with(npy("<i4", "False", "(2,)", pack("<i4", -1, 2)), function(path)
      assert.same({ -1, 2 }, data.npy(path, { dtype = "float64" }):totable())
      assert.equal("float64", data.npy(path, { dtype = "float64" }).dtype)
    end)
  end)

  it("refuses what it cannot read", function()
    refused("npy", "PK\3\4 and more of it", "not a .npy file")
    refused("npy", "", "not a .npy file")
    refused("npy", npy("<f8", "False", "(3,)", pack("<d", 1)),
      "holds 1 numbers where its shape (3) asks for 3")
    refused("npy", npy("<f8", "False", "(4000000000, 4000000000)", pack("<d", 1)),
      "holds 1 numbers where its shape (4000000000, 4000000000) asks for 576460752303423487")
    refused("npy", npy("<c8", "False", "(1,)", pack("<d", 1)), "this kind of array is not read "
      .. "here: {'descr': '<c8', 'fortran_order': False, 'shape': (1,), }")
    refused("npy", "\x93NUMPY\1\0\255\255 {", "ends within its head")
    local t, why = data.npy "no-such.npy"
    assert.is_nil(t)
    assert.equal("data.npy: no-such.npy: No such file or directory", why)
    assert.has_error(function() data.npy("x", { dtyp = "int64" }) end,
      "data.npy: unknown key 'dtyp'; did you mean 'dtype'?")
  end)

  it("writes what it reads, bit for bit", function()
    local path = os.tmpname()
    local tensors = {
      lariat.randn(3, 4), lariat.randn(5, { dtype = "float64" }), lariat.randn(4, 3):t(),
      lariat.tensor({ 1, -2, math.maxinteger }, { dtype = "int64" }),
      lariat.tensor { true, false }, lariat.zeros(0, 3), lariat.tensor(2.5),
    }
    for _, t in ipairs(tensors) do
      assert.is_true(data.save_npy(path, t))
      local back = assert(data.npy(path))
      assert.equal(t.dtype, back.dtype)
      assert.same(t.shape, back.shape)
      if t.ndim > 0 then assert.same(t:totable(), back:totable()) end
    end
    os.remove(path)
  end)

  it("writes the head that NumPy writes", function()
    local path = os.tmpname()
    data.save_npy(path, lariat.tensor { { 1, 2, 3 } })
    local bytes = slurp(path)
    os.remove(path)
    local head = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 3), }"
    assert.equal("\x93NUMPY\1\0\x76\0" .. head .. (" "):rep(117 - #head) .. "\n",
      bytes:sub(1, 128))
    assert.equal(pack("<f", 1, 2, 3), bytes:sub(129))
  end)

  it("takes no pipe's or directory's place", function()
    local path = os.tmpname()
    finally(function() os.remove(path) end)
    assert.is_true(os.remove(path) and os.execute("mkfifo " .. path))
    local ok, why = data.save_npy(path, lariat.ones(1))
    assert.is_nil(ok)
    assert.equal("save_npy: " .. path ..
      " is a device or a pipe, not a file; give another name", why)
    assert.is_true(os.execute("test -p " .. path))
    ok, why = data.save_npy("spec", lariat.ones(1))
    assert.is_nil(ok)
    assert.matches("spec is a directory, not a file", why)
  end)

  it("leaves the old file whole when it cannot write", function()
    local ok, why = data.save_npy("/dev/null/x.npy", lariat.ones(1))
    assert.is_nil(ok)
    assert.equal("save_npy: /dev/null/x.npy: Not a directory", why)
    assert.has_error(function() data.save_npy("x", 3) end, "save_npy: a number is not a tensor")
    assert.has_error(function() data.save_npy(nil, lariat.ones(1)) end,
      "save_npy: the path is a string, not a nil")
  end)

  it("overwrites in one step and leaves nothing beside", function()
    local folder = os.tmpname()
    os.remove(folder)
    os.execute("mkdir " .. folder)
    for k = 1, 2 do assert(data.save_npy(folder .. "/x.npy", lariat.ones(k))) end
    assert.equal(2, #data.npy(folder .. "/x.npy"))
    local names = shell.run("ls -A " .. folder)
    os.execute("rm -r " .. folder)
    assert.equal("x.npy\n", names)
  end)
end)

describe("idx", function()
  local function idx(code, shape, body)
    return string.char(0, 0, code, #shape) .. pack(">I4", table.unpack(shape)) .. body
  end

  it("reads labels as int64, pictures as floats", function()
    with(idx(8, { 3 }, "\0\7\255"), function(path)
      local t = assert(data.idx(path))
      assert.equal("int64", t.dtype)
      assert.same({ 0, 7, 255 }, t:totable())
    end)
    with(idx(8, { 1, 2, 2 }, "\0\1\2\255"), function(path)
      local t = assert(data.idx(path))
      assert.equal("float32", t.dtype)
      assert.same({ { { 0, 1 }, { 2, 255 } } }, t:totable())
      assert.equal("int64", data.idx(path, { dtype = "int64" }).dtype)
    end)
  end)

  it("reads every type there is", function()
    local kinds = {
      [9] = pack("b", -1, 5), [0x0b] = pack(">i2", -1, 5), [0x0c] = pack(">i4", -1, 5),
      [0x0d] = pack(">f", -1, 5), [0x0e] = pack(">d", -1, 5),
    }
    for code, body in pairs(kinds) do
      with(idx(code, { 2 }, body), function(path)
        assert.same({ -1, 5 }, data.idx(path):totable())
      end)
    end
  end)

  it("reads gzip", function()
    with(idx(8, { 2 }, "\1\2"), function(path)
      os.execute("gzip " .. path)
      local t = data.idx(path .. ".gz")
      os.rename(path .. ".gz", path)
      assert.same({ 1, 2 }, t:totable())
    end)
  end)

  it("refuses what it cannot read", function()
    refused("idx", "a,b\n1,2\n", "not an IDX file: it does not start with two zero bytes")
    refused("idx", "", "not an IDX file: it does not start with two zero bytes")
    refused("idx", idx(7, { 1 }, "x"), "IDX type 0x07 is not known")
    refused("idx", idx(8, { 3 }, "ab"), "holds 2 numbers where its shape (3) asks for 3")
    refused("idx", idx(8, { 1 }, "ab"), "holds 2 numbers where its shape (1) asks for 1")
    refused("idx", "\0\0\8\3\0\0", "ends within its head")
    refused("idx", "\0\0\8\9" .. ("\0"):rep(36), "9 dimensions; a tensor has at most 8")
    local t, why = data.idx "no-such.idx"
    assert.is_nil(t)
    assert.equal("data.idx: no-such.idx: No such file or directory", why)
  end)
end)
