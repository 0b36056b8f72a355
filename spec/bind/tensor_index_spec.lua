-- t[...] on both sides of `=`, and cutting into lists.
local lariat = require "lariat"
local near = require "spec.support.near"

local function same(want, t) assert.same(want, near.plain(t)) end
local function fails(pattern, fn)
  local ok, message = pcall(fn)
  assert.is_false(ok)
  assert.is_truthy(tostring(message):find(pattern), message)
end
local function i64(t) return lariat.tensor(t, { dtype = "int64" }) end
local function table34() return lariat.arange(12):view(3, 4) end

describe("reading t[...]", function()
  it("an integer is a row, of a vector an element", function()
    local a = table34()
    same({ 5, 6, 7, 8 }, a[2])
    same({ 9, 10, 11, 12 }, a[-1])
    assert.equal(7, a[2][3])
    assert.equal(7, a:at(2, 3))
    assert.equal(12, a:at(-1, -1))
    assert.equal("integer", math.type(i64({ 5 })[1]))
    assert.is_true(lariat.tensor({ true })[1])
  end)

  it("a list is one key for each dimension, ranges with both ends", function()
    local a = table34()
    same({ 3, 7 }, a[{ { 1, 2 }, 3 }])
    same({ { 2, 3, 4 }, { 6, 7, 8 }, { 10, 11, 12 } }, a[{ {}, { 2, -1 } }])
    same({ { 5, 6, 7, 8 } }, a[{ { 2 } }])
    same({ 5, 6, 7, 8 }, a[{ 2 }])
    same({ { 1, 3 }, { 9, 11 } }, a[{ { 1, 3, 2 }, { 1, 4, 2 } }])
    same({ { 9, 10, 11, 12 }, { 5, 6, 7, 8 }, { 1, 2, 3, 4 } }, a[{ { 3, 1, -1 } }])
    assert.equal(0, a[{ 2, 3 }].ndim)
    assert.same({ 0, 4 }, a[{ { 2, 1 } }].shape)
    same(a:totable(), a[{}])
  end)

  it("a tensor picks rows or masks elements", function()
    local a = table34()
    same({ { 9, 10, 11, 12 }, { 1, 2, 3, 4 }, { 9, 10, 11, 12 } }, a[i64 { 3, 1, -1 }])
    same({ 11, 12 }, a[a:gt(10)])
    same({ { { 5, 6, 7, 8 } } }, a[i64 { { 2 } }])
    assert.same({ 0, 4 }, a[lariat.zeros(0, { dtype = "int64" })].shape)
  end)

  it("what is not there is refused with its place", function()
    local a = table34()
    fails("index 4 is not in 1%.%.3.* dimension 1 of %(3, 4%)", function() return a[4] end)
    fails("index 0", function() return a[0] end)
    fails("index %-4", function() return a[-4] end)
    fails("1.5 is not an integer", function() return a[1.5] end)
    fails("{2, 5} is not in 1%.%.4, dimension 2", function() return a[{ {}, { 2, 5 } }] end)
    fails("3 indices for a tensor of shape %(3, 4%)", function() return a[{ 1, 1, 1 }] end)
    fails("must be int64 or bool, not float32", function() return a[lariat.ones(2)] end)
    fails("mask of shape %(3%) does not fit %(3, 4%)", function()
      return a[lariat.ones(3):gt(0)]
    end)
    fails("step of a range cannot be 0", function() return a[{ { 1, 2, 0 } }] end)
    fails("not by a boolean", function() return a[true] end)
    fails("takes 2 indices, not 1", function() return a:at(1) end)
    fails("index 9 is not in 1%.%.3 .*dimension 1", function() return a:at(9, 1) end)
    fails("index 7 is not in 1%.%.3", function() return a[i64 { 7 }] end)
  end)
end)

describe("writing t[...] =", function()
  it("puts numbers, tables and tensors, that broadcast", function()
    local a = lariat.zeros(3, 4)
    a[1] = 1
    a[2] = { 1, 2, 3, 4 }
    a[3] = lariat.tensor { 5, 6, 7, 8 }
    same({ { 1, 1, 1, 1 }, { 1, 2, 3, 4 }, { 5, 6, 7, 8 } }, a)
    a[{ {}, 2 }] = 0
    a[{ { 1, 2 }, { 3, 4 } }] = { { 9 }, { 8 } }
    same({ { 1, 0, 9, 9 }, { 1, 0, 8, 8 }, { 5, 0, 7, 8 } }, a)
    a[a:gt(7)] = -1
    same({ { 1, 0, -1, -1 }, { 1, 0, -1, -1 }, { 5, 0, 7, -1 } }, a)
    a[a:lt(0)] = { 10, 20, 30, 40, 50 }
    same({ { 1, 0, 10, 20 }, { 1, 0, 30, 40 }, { 5, 0, 7, 50 } }, a)
    a[i64 { 3, 1 }] = { { 1, 1, 1, 1 }, { 2, 2, 2, 2 } }
    same({ { 2, 2, 2, 2 }, { 1, 0, 30, 40 }, { 1, 1, 1, 1 } }, a)
    a[{ { 3, 1, -1 }, 1 }] = { 7, 8, 9 }
    same({ 9, 8, 7 }, a[{ {}, 1 }])
    local v = i64 { 1, 2 }
    v[2] = math.maxinteger
    assert.equal(math.maxinteger, v[2])
  end)

  it("reads before it writes where they overlap", function()
    local a = lariat.arange(5)
    a[{ { 2, 5 } }] = a[{ { 1, 4 } }]
    same({ 1, 1, 2, 3, 4 }, a)
    local b = lariat.arange(4):view(2, 2)
    b[{}] = b:t()
    same({ { 1, 3 }, { 2, 4 } }, b)
    local c = lariat.arange(4)
    c[i64 { 4, 3, 2, 1 }] = c
    same({ 4, 3, 2, 1 }, c)
    local d = lariat.arange(4)
    d[d:gt(1)] = d[{ { 1, 3 } }]
    same({ 1, 1, 2, 3 }, d)
  end)

  it("is refused as a whole when it does not fit", function()
    local a = lariat.zeros(2, 3)
    fails("assignment", function() a[1] = { 1, 2 } end)
    fails("index 3 is not in 1%.%.2", function() a[i64 { 1, 3 }] = 1 end)
    fails("the mask holds 6 places and the value 2", function() a[a:eq(0)] = { 1, 2 } end)
    fails("a scalar", function() lariat.tensor(1)[1] = 2 end)
    same({ { 0, 0, 0 }, { 0, 0, 0 } }, a)
  end)

  it("does not lose a derivative silently", function()
    local w = lariat.ones(3, { requires_grad = true })
    fails("assignment would lose the derivative", function() lariat.zeros(3)[1] = w:sum() end)
    fails("derivative recorded cannot be changed in place", function() (w * 2)[1] = 0 end)
    lariat.no_grad(function() w[1] = 5 end)
    assert.equal(5, w[1])
  end)
end)

describe("derivatives of indexing", function()
  it("go where the elements came from", function()
    local x = lariat.arange(12, { dtype = "float64" }):view(3, 4):clone():requires_grad_(true)
    local function grad(y) return lariat.grad((y * y):sum() / 2, { x })[1]:totable() end
    same({ { 0, 0, 0, 0 }, { 5, 6, 7, 8 }, { 0, 0, 0, 0 } }, lariat.tensor(grad(x[2])))
    same({ { 0, 2, 0, 4 }, { 0, 6, 0, 8 }, { 0, 10, 0, 12 } },
      lariat.tensor(grad(x[{ {}, { 4, 2, -2 } }])))
    same({ { 0, 0, 0, 0 }, { 10, 12, 14, 16 }, { 0, 0, 0, 0 } },
      lariat.tensor(grad(x[i64 { 2, 2 }])))
    same({ { 0, 0, 0, 0 }, { 0, 0, 0, 0 }, { 0, 0, 11, 12 } },
      lariat.tensor(grad(x[x:gt(10)])))
  end)
end)

describe("cutting into a list:", function()
  it("split by a size or by sizes", function()
    local a = table34()
    local p = a:split(3, 2)
    assert.equal(2, #p)
    same({ { 1, 2, 3 }, { 5, 6, 7 }, { 9, 10, 11 } }, p[1])
    same({ { 4 }, { 8 }, { 12 } }, p[2])
    p = a:split({ 1, 0, 2 })
    assert.same({ 1, 4 }, p[1].shape)
    assert.same({ 0, 4 }, p[2].shape)
    same({ { 5, 6, 7, 8 }, { 9, 10, 11, 12 } }, p[3])
    p[3]:zero_()
    assert.equal(0, a[2][1])
    fails("add up to 2", function() return a:split { 1, 1 } end)
    fails("size 2 of the list", function() return a:split { 2, 2 } end)
    fails("parts of 0", function() return a:split(0) end)
    fails("dimension 3", function() return a:split(1, 3) end)
  end)

  it("chunk into so many, unbind into rows", function()
    local a = table34()
    assert.equal(2, #a:chunk(2))
    assert.equal(1, #a:chunk(2)[2])
    assert.equal(3, #a:chunk(5))
    assert.equal(4, #a:unbind(2))
    same({ 2, 6, 10 }, a:unbind(2)[2])
    same(a:totable(), lariat.cat(a:chunk(2)))
    same(a:totable(), lariat.stack(a:unbind(2), 2))
    fails("into 0 parts", function() return a:chunk(0) end)
  end)
end)
