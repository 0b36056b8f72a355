-- Sparse matrices and the files they come in.
local lariat = require "lariat"
local sparse = lariat.sparse

local function random(n, p, dtype)
  local a = lariat.randn(n, p, { dtype = dtype })
  return a * lariat.rand(n, p):lt(0.3):to(dtype)
end

local function same(a, b) assert.equal(0, (a - b):abs():max():item()) end

-- Triplets in any order, as compressed rows or columns of lists.
local function shuffled(a, by_rows)
  local major, minor = by_rows and 1 or 2, by_rows and 2 or 1
  local o = { data = {}, indices = {}, indptr = { 1 }, shape = a.shape, dtype = "float64" }
  for k = 1, a.shape[major] do
    local order = lariat.randperm(a.shape[minor]):totable()
    for _, l in ipairs(order) do
      local v = by_rows and a:at(k, l) or a:at(l, k)
      if v ~= 0 then o.data[#o.data + 1], o.indices[#o.indices + 1] = v, l end
    end
    o.indptr[k + 1] = #o.data + 1
  end
  return o
end

describe("sparse", function()
  before_each(function() lariat.seed(3) end)

  for _, dtype in ipairs { "float32", "float64" } do
    it("goes from a matrix and back, " .. dtype, function()
      local a = random(7, 5, dtype)
      local s = sparse.csc(a:t():contiguous():t())
      assert.same({ 7, 5 }, s.shape)
      assert.equal(dtype, s.dtype)
      assert.equal(a:ne(0):sum():item(), s.nnz)
      same(a, s:dense())
    end)
  end

  it("takes columns and rows in any order", function()
    local a = random(9, 6, "float64")
    same(a, sparse.csc(shuffled(a, false)):dense())
    same(a, sparse.csr(shuffled(a, true)):dense())
  end)

  it("adds up what comes twice", function()
    local o = { data = { 1, 2, 5 }, indices = { 0, 0, 1 }, indptr = { 0, 2, 3 },
      shape = { 2, 2 }, base = 0 }
    same(lariat.tensor { { 3, 0 }, { 0, 5 } }, sparse.csc(o):dense())
    same(lariat.tensor { { 3, 0 }, { 0, 5 } }, sparse.csr(o):dense())
  end)

  it("multiplies vectors", function()
    local a = random(8, 5, "float64")
    local s, v, u = sparse.csc(a), lariat.randn(5, { dtype = "float64" }),
      lariat.randn(8, { dtype = "float64" })
    assert.is_true((s:mv(v) - a:mv(v)):abs():max():item() < 1e-14)
    assert.is_true((s:tmv(u) - a:t():mv(u)):abs():max():item() < 1e-14)
  end)

  it("picks rows in any order", function()
    local a = random(8, 5, "float64")
    local index = lariat.tensor({ 7, 1, -1, 4 }, { dtype = "int64" })
    same(a[index], sparse.csc(a):rows(index):dense())
  end)

  it("may have no rows, no columns, no entries", function()
    for _, shape in ipairs { { 0, 3 }, { 3, 0 }, { 2, 2 } } do
      local s = sparse.csc(lariat.zeros(shape))
      assert.same(shape, s.shape)
      assert.equal(0, s.nnz)
      assert.same(shape, s:dense().shape)
    end
  end)

  it("has parts", function()
    local pointers, index, value = sparse.csc(lariat.tensor { { 0, 4 }, { 5, 6 } }):parts()
    assert.same({ 0, 1, 3 }, pointers:totable())
    assert.same({ 1, 0, 1 }, index:totable())
    assert.same({ 5, 4, 6 }, value:totable())
  end)

  it("names what does not fit", function()
    local good = { data = { 1 }, indices = { 1 }, indptr = { 1, 2 }, shape = { 2, 1 } }
    local function with(key, value)
      local o = {}
      for k, v in pairs(good) do o[k] = v end
      o[key] = value
      return function() sparse.csc(o) end
    end
    assert.error_matches(with("indices", { 3 }), "index 2 of entry 1 is not in 0%.%.1")
    assert.error_matches(with("indptr", { 1, 3 }), "pointer 2 is 2; they rise from 0 to 1")
    assert.error_matches(with("indptr", { 1 }), "1 pointers, 1 indices and 1 values")
    assert.error_matches(with("shape", 3), "shape must be a list of two integers")
    assert.error_matches(with("values", 3), "unknown key 'values'")
    assert.error_matches(function() sparse.csc "x" end, "not a string")
    assert.error_matches(function() sparse.csc(lariat.ones(3)) end,
      "a matrix %(n, p%) is needed")
    local s = sparse.csc(good)
    assert.error_matches(function() s:mv(lariat.ones(2)) end, "1 entries are needed")
    assert.error_matches(function() s:rows(lariat.tensor({ 5 }, { dtype = "int64" })) end,
      "row 5 is not in 1%.%.2")
    assert.error_matches(function() return s.nothing end, "has no 'nothing'")
  end)
end)

describe("libsvm", function()
  local function file(text)
    local path = os.tmpname()
    local f = assert(io.open(path, "w"))
    f:write(text)
    f:close()
    finally(function() os.remove(path) end)
    return path
  end

  it("reads labels, entries, comments and queries", function()
    local d = assert(lariat.data.libsvm(file
      "+1 1:0.5 3:2 # hi\n-1 qid:3 2:1e-2\n\n# nothing\n+1 3:1\r\n"))
    same(lariat.tensor { { 0.5, 0, 2 }, { 0, 0.01, 0 }, { 0, 0, 1 } }, d.x:dense())
    assert.same({ 2, 1, 2 }, d.y:totable())
    assert.same({ "-1", "1" }, d.classes)
    local part = d:rows { 2, 3 }
    same(lariat.tensor { { 0, 0.01, 0 }, { 0, 0, 1 } }, part.x:dense())
  end)

  it("reads numbers to predict, indices from 0, and more columns", function()
    local path = file "1.5 0:1\n2 2:3"
    local d = assert(lariat.data.libsvm(path, { columns = 5, dtype = "float64" }))
    assert.same({ 2, 5 }, d.x.shape)
    assert.same({ 1.5, 2 }, d.y:totable())
  end)

  it("says where a file goes wrong", function()
    local function why(text, o)
      local d, reason = lariat.data.libsvm(file(text), o)
      assert.is_nil(d)
      return reason
    end
    assert.matches("line 2: a value is a number", why "1 1:2\n1 1:x")
    assert.matches("line 1: a line starts with a number", why "a 1:2")
    assert.matches("line 1: an entry is index:value", why "1 2")
    assert.matches("line 1: an entry is index:value", why "1 1.5:2")
    assert.matches("no rows", why "# empty")
    assert.matches("index 7 is beyond the 3 columns", why("1 7:1", { columns = 3 }))
    assert.matches("index 0 where columns count from 1", why("1 0:1", { base = 1 }))
    assert.matches("no%-such%-file", select(2, lariat.data.libsvm "no-such-file"))
  end)
end)
