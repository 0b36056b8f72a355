-- Splitting: exact sizes, every row once, classes evenly spread, seeds.
local lariat = require "lariat"

local split = lariat.data.split

local function int(list) return lariat.tensor(list, { dtype = "int64" }) end

-- n rows that know their number, with labels that come round.
local function numbered(n, labels)
  local y = {}
  for k = 1, n do y[k] = labels[(k - 1) % #labels + 1] end
  return { x = lariat.arange(1, n):view(n, 1), y = int(y), row = lariat.arange(1, n) }
end

local function sizes(parts)
  local out = {}
  for k, d in ipairs(parts) do out[k] = #d end
  return out
end

local function rows_of(parts)
  local seen, count = {}, 0
  for _, d in ipairs(parts) do
    for _, row in ipairs(d.row:totable()) do
      assert.is_nil(seen[row])
      seen[row], count = true, count + 1
    end
  end
  return count
end

describe("split", function()
  it("gives sizes by largest remainder", function()
    local function of(n, parts)
      return sizes { split(numbered(n, { 1 }), parts, { seed = 1 }) }
    end
    assert.same({ 8, 2 }, of(10, { 0.8, 0.2 }))
    assert.same({ 2, 1 }, of(3, { 0.8, 0.2 }))
    assert.same({ 4, 3, 3 }, of(10, { 1 / 3, 1 / 3, 1 / 3 }))
    assert.same({ 6, 3, 2 }, of(11, { 0.5, 0.3, 0.2 }))
    assert.same({ 5, 2 }, of(10, { 0.5, 0.2 }))
    assert.same({ 7, 3 }, of(10, { 7, 3 }))
    assert.same({ 7, 2 }, of(10, { 7, 2 }))
    assert.same({ 7, 3 }, of(10, 0.7))
    assert.same({ 10 }, of(10, { 10 }))
    for n = 1, 60 do
      local total = 0
      for _, size in ipairs(of(n + 9, { 0.1, 0.25, 0.65 })) do total = total + size end
      assert.equal(n + 9, total)
    end
  end)

  it("deals every row once, and all that belongs to it", function()
    local d = numbered(101, { 1, 2, 3 })
    for _, stratify in ipairs { false, true } do
      local parts = { split(d, { 0.5, 0.3, 0.2 }, { seed = 3, stratify = stratify }) }
      assert.equal(101, rows_of(parts))
      for _, part in ipairs(parts) do
        assert.same(part.row:totable(), part.x:view(#part):totable())
        for k, row in ipairs(part.row:totable()) do
          assert.equal(math.tointeger(row - 1) % 3 + 1, part.y[k])
        end
      end
    end
  end)

  it("spreads classes evenly", function()
    local train, test = split(lariat.data.iris(), { 0.8, 0.2 }, { seed = 1, stratify = true })
    assert.same({ 40, 40, 40 }, lariat.core.class_counts(train.y, 3))
    assert.same({ 10, 10, 10 }, lariat.core.class_counts(test.y, 3))
    local d = lariat.data.digits()
    local all = lariat.core.class_counts(d.y, 10)
    for seed = 1, 5 do
      for _, parts in ipairs { { 0.7, 0.3 }, { 0.6, 0.25, 0.15 }, { 100, 1000, 50, 7 } } do
        for k, part in ipairs { split(d, parts, { seed = seed, stratify = true }) } do
          for class, count in ipairs(lariat.core.class_counts(part.y, 10)) do
            local share = all[class] * #part / #d
            local room = #parts == 2 and 1 or 2
            assert.is_true(math.abs(count - share) < room,
              ("part %d class %d: %d of %g"):format(k, class, count, share))
          end
        end
      end
    end
  end)

  it("spreads by labels that are given", function()
    local d = { x = lariat.ones(8, 1) }
    local by = int { 1, 1, 1, 1, 2, 2, 2, 2 }
    d.by = by
    local a = split(d, { 0.5, 0.5 }, { seed = 2, stratify = by })
    assert.same({ 2, 2 }, lariat.core.class_counts(a.by, 2))
  end)

  it("mixes the rows of a part, classes too", function()
    local d = numbered(300, { 1 })
    for k = 151, 300 do d.y[k] = 2 end
    local a = split(d, { 0.5, 0.5 }, { seed = 4, stratify = true })
    local first = a.y[{ { 1, 75 } }]:eq(1):sum():item()
    assert.is_true(first > 20 and first < 55, tostring(first))
    assert.is_false(pcall(assert.same, { 1, 2, 3 }, a.row[{ { 1, 3 } }]:totable()))
  end)

  it("follows its seed, and leaves the global streams alone", function()
    local d = numbered(50, { 1, 2 })
    local function first(o) return (split(d, { 0.5, 0.5 }, o)).row:totable() end
    assert.same(first { seed = 7 }, first { seed = 7 })
    assert.is_false(pcall(assert.same, first { seed = 7 }, first { seed = 8 }))
    lariat.seed(11)
    local expected = lariat.rand(3):totable()
    local global = first {}
    lariat.seed(11)
    first { seed = 7 }
    assert.same(expected, lariat.rand(3):totable())
    assert.same(global, first {})
    assert.is_false(pcall(assert.same, global, first {}))
  end)

  it("is even over seeds", function()
    local d, hits = numbered(20, { 1 }), {}
    for seed = 1, 400 do
      for _, row in ipairs(split(d, { 5 }, { seed = seed }).row:totable()) do
        hits[row] = (hits[row] or 0) + 1
      end
    end
    for row = 1, 20 do -- 400 draws with p = 1/4: mean 100, standard deviation 8.7
      assert.is_true(math.abs(hits[row] - 100) < 40, row .. ": " .. hits[row])
    end
  end)

  it("keeps the order when asked", function()
    local a, b = split(numbered(10, { 1 }), { 0.7, 0.3 }, { shuffle = false })
    assert.same({ 1, 2, 3, 4, 5, 6, 7 }, a.row:totable())
    assert.same({ 8, 9, 10 }, b.row:totable())
  end)

  it("keeps names, classes and the rest", function()
    local d = lariat.data.wine()
    local a = split(d, { 0.5 }, { seed = 1 })
    for _, key in ipairs { "names", "classes", "name", "source", "license", "target" } do
      assert.equal(d[key], a[key])
    end
  end)

  it("refuses in a sentence", function()
    local d = numbered(10, { 1, 2 })
    local function raises(sentence, ...)
      local ok, why = pcall(split, ...)
      assert.is_false(ok)
      assert.equal(sentence, why)
    end
    raises("split: the fractions add up to 1.2, which is more than 1", d, { 0.9, 0.3 })
    raises("split: 12 rows are asked for and there are 10", d, { 10, 2 })
    raises("split: part 2, 0.01 of 10 rows, has no row", d, { 0.99, 0.01 })
    raises("split: part 1 is -1; it must be above 0", d, { -1 })
    raises("split: part 2 is half; it must be above 0", d, { 0.5, "half" })
    raises("split: part 2 is 2.5; give fractions, or whole numbers", d, { 5, 2.5 })
    raises("split: the parts are a list of fractions or counts, such as {0.8, 0.2}, not an "
      .. "empty one", d, {})
    raises("split: unknown key 'sed'; did you mean 'seed'?", d, { 0.5 }, { sed = 1 })
    raises("split: a data set, or a table with the tensor x, is needed, not a number", 3, { 1 })
    raises("split: stratify needs int64 labels, one for each of the 4 rows, not float32 (4)",
      { x = lariat.ones(4, 1), y = lariat.ones(4) }, { 0.5 }, { stratify = true })
    raises("split: stratify needs class labels, and there is no y", { x = lariat.ones(4, 1) },
      { 0.5 }, { stratify = true })
    raises("split: row 2 has the label 0, which is not in 1..16777216",
      { x = lariat.ones(2, 1), y = int { 1, 0 } }, { 0.5 }, { stratify = true })
  end)
end)
