-- gather, scatter and index_select against elements picked one by one, by one thread and two.
local lariat = require "lariat"

local many = lariat.threads()
local DTYPES = { "float32", "float64", "int64", "bool" }

local function int(t) return lariat.tensor(t, { dtype = "int64" }) end
local function both(fn)
  for _, threads in ipairs { 1, 2 } do
    lariat.threads(threads)
    fn()
  end
end

-- Places from the end count as those from the front.
local function named(size, shape)
  local front = lariat.randint(1, size, shape)
  local back = lariat.rand(shape):lt(0.3):long()
  return front, front - back * (size + 1)
end

describe("gather", function()
  before_each(function() lariat.seed(6) end)
  after_each(function() lariat.threads(many) end)

  it("takes along any dimension what the indices say", function()
    local x, shapes = lariat.rand(5, 6, 7) * 3, { { 9, 4, 7 }, { 5, 9, 3 }, { 4, 6, 11 } }
    for d, shape in ipairs(shapes) do
      local front, index = named(x.shape[d], shape)
      for _, dtype in ipairs(DTYPES) do
        local from = x:to(dtype)
        local y = from:permute(3, 1, 2):contiguous():permute(2, 3, 1):gather(d, index)
        assert.same(shape, y.shape)
        assert.equal(dtype, y.dtype)
        for i = 1, shape[1] do
          for j = 1, shape[2] do
            for k = 1, shape[3] do
              local at = { i, j, k }
              at[d] = front:at(i, j, k)
              assert.equal(from:at(table.unpack(at)), y:at(i, j, k))
            end
          end
        end
      end
    end
  end)

  it("in many parts is what it is in one, and scatter puts all back", function()
    local x = lariat.randn(301, 1000)
    local order = lariat.randn(301, 1000):argsort(2)
    local wanted = lariat.stack({ x[301]:gather(1, order[301]) }, 1)
    local flat = lariat.randint(1, 301000, { 301000 })
    local line
    both(function()
      local y = x:gather(2, order)
      assert.equal(0, y[{ { 301, 301 } }]:ne(wanted):sum():item())
      assert.equal(0, x:scatter(2, order, y):ne(x):sum():item())
      assert.equal(0, x:t():gather(1, order:t()):ne(y:t()):sum():item())
      line = line or x:view(-1):gather(1, flat)
      assert.equal(0, x:view(-1):gather(1, flat):ne(line):sum():item())
      assert.equal(0, x:view(-1):index_select(1, flat):ne(line):sum():item())
    end)
  end)

  it("names the first index that is none", function()
    local x, index = lariat.zeros(400, 1000), lariat.ones({ 400, 1000 }, { dtype = "int64" })
    index[{ 3, 5 }], index[{ 399, 1 }], index[{ 400, 1 }] = -1001, 0, 1001
    local wanted = "index -1001 is not in 1..1000 (or from the end, -1000..-1)"
    both(function()
      assert.has_error(function() x:gather(2, index) end, "gather: " .. wanted)
      assert.has_error(function() x:scatter(2, index, x) end, "scatter: " .. wanted)
      assert.has_error(function() x[1]:index_select(1, index) end, "index_select: " .. wanted)
    end)
    assert.has_error(function() lariat.zeros(2, 0):gather(2, int { { 1 }, { 1 } }) end,
      "gather: index 1 is not in 1..0 (or from the end, -0..-1)")
  end)

  it("of nothing, and of one element, is that", function()
    local none = lariat.zeros(3, 0):long()
    assert.same({ 3, 0 }, lariat.zeros(3, 4):gather(2, none).shape)
    assert.equal(3.5, lariat.tensor(3.5):gather(1, int(-1)):item())
  end)
end)

describe("the derivative of index_select", function()
  after_each(function() lariat.threads(many) end)

  it("adds up in the order of the indices, on any number of threads", function()
    for d, shape in ipairs { { 60, 900 }, { 300, 40 } } do
      local _, index = named(shape[d], { 500 })
      local x = lariat.zeros(shape):requires_grad_(true)
      local g = lariat.randn(d == 1 and { 500, shape[2] } or { shape[1], 500 })
      local want = lariat.zeros(shape)
      for k, i in ipairs(index:totable()) do
        local sum = want:select(d, i) + g:select(d, k)
        if d == 1 then want[i] = sum else want[{ {}, i }] = sum end
      end
      both(function()
        x.grad = nil
        (x:index_select(d, index) * g):sum():backward()
        assert.is_true(x.grad:eq(want):all():item())
      end)
    end
  end)
end)
