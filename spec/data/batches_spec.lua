-- Batches: every row once an epoch, the same order for the same seed and epoch.
local lariat = require "lariat"

local batches = lariat.data.batches

local function numbered(n) return lariat.arange(1, n):view(n, 1), lariat.arange(1, n) * 10 end

local function walk(iterator)
  local sizes, rows = {}, {}
  for x, y in iterator do
    sizes[#sizes + 1] = #x
    for k, row in ipairs(x:view(#x):totable()) do
      assert.equal(row * 10, y[k])
      rows[#rows + 1] = row
    end
  end
  return sizes, rows
end

describe("batches", function()
  local x, y = numbered(10)

  it("go through the rows in order", function()
    local b = batches { x = x, y = y, batch_size = 4 }
    local sizes, rows = walk(b(1))
    assert.same({ 4, 4, 2 }, sizes)
    assert.same({ 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 }, rows)
    assert.same(rows, select(2, walk(b())))
  end)

  it("can stand in a for by themselves, epoch after epoch", function()
    local b = batches { x = x, y = y, batch_size = 4, shuffle = true, seed = 1 }
    local _, first = walk(b)
    local _, second = walk(b)
    assert.same(select(2, walk(b(1))), first)
    assert.same(select(2, walk(b(2))), second)
    assert.equal(4, #b(nil, nil)) -- as a loop that is left early
    assert.equal(10, #select(2, walk(b)))
  end)

  it("are shuffled by seed and epoch alone", function()
    local function of(seed, epoch)
      local b = batches { x = x, y = y, batch_size = 3, shuffle = true, seed = seed }
      return select(2, walk(b(epoch)))
    end
    assert.same(of(1, 5), of(1, 5))
    assert.is_false(pcall(assert.same, of(1, 5), of(1, 6)))
    assert.is_false(pcall(assert.same, of(1, 5), of(2, 5)))
    local sorted = of(3, 1)
    table.sort(sorted)
    assert.same({ 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 }, sorted)
    lariat.seed(5)
    local expected = lariat.rand(2):totable()
    lariat.seed(5)
    of(1, 1)
    assert.same(expected, lariat.rand(2):totable())
  end)

  it("without a seed follow the global stream", function()
    local b = batches { x = x, y = y, shuffle = true }
    lariat.seed(9)
    local _, first = walk(b(1))
    local _, second = walk(b(1))
    lariat.seed(9)
    assert.same(first, select(2, walk(b(1))))
    assert.is_false(pcall(assert.same, first, second))
  end)

  it("drop a last one that is not full when asked", function()
    local sizes = walk(batches { x = x, y = y, batch_size = 4, drop_last = true }(1))
    assert.same({ 4, 4 }, sizes)
    assert.same({}, (walk(batches { x = x, y = y, batch_size = 11, drop_last = true }(1))))
    assert.same({ 10 }, (walk(batches { x = x, y = y }(1))))
  end)

  it("are transformed", function()
    local b = batches { x = x, y = y, batch_size = 5,
      transform = function(bx, by) return bx * 2, by * 2 end }
    local sizes = walk(b(1))
    assert.same({ 5, 5 }, sizes)
    for bx, by in batches { x = x, y = y, transform = function(bx) return bx + 1 end } do
      assert.equal(2, bx:at(1, 1))
      assert.equal(10, by[1])
    end
    assert.has_error(function()
      batches { x = x, transform = function() return 3 end } (1)()
    end, "batches: transform returned a number where a tensor x should be")
  end)

  it("carry weights in a table, and need no y", function()
    for batch in batches { x = x, y = y, weight = y / 10, batch_size = 5 } do
      assert.same(batch.x:view(5):totable(), batch.weight:totable())
      assert.equal(5, #batch.y)
    end
    for bx, by in batches { x = x } do
      assert.equal(10, #bx)
      assert.is_nil(by)
    end
  end)

  it("refuse in a sentence", function()
    local function raises(sentence, o)
      local ok, why = pcall(batches, o)
      assert.is_false(ok)
      assert.equal(sentence, why)
    end
    raises("batches: unknown key 'batchsize'; did you mean 'batch_size'?",
      { x = x, batchsize = 3 })
    raises("batches: batch_size must be an integer of at least 1, not 0",
      { x = x, batch_size = 0 })
    raises("batches: x has 10 rows and y has 3", { x = x, y = lariat.ones(3) })
    raises("batches: x must be a tensor", { y = y })
    raises("batches: y must be a tensor of at least one dimension", { x = x, y = 3 })
    raises("batches: transform must be a function, not a string", { x = x, transform = "flip" })
  end)
end)
