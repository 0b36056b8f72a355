-- Folds: sizes, classes, every row once, files.
local lariat = require "lariat"
local select = lariat.select

describe("folds", function()
  it("leave every row out once, in parts that differ by at most one row", function()
    for _, n in ipairs { 2, 7, 10, 101 } do
      local k = math.min(5, n)
      local folds = select.kfold(n, { folds = k, seed = 3 })
      assert.equal(k, #folds)
      local seen, least, most = 0, n, 0
      for f, train, test in folds:each() do
        assert.equal(n, #train + #test)
        assert.is_true(folds.ids[test]:eq(f):all():item())
        seen, least, most = seen + #test, math.min(least, #test), math.max(most, #test)
      end
      assert.equal(n, seen)
      assert.is_true(most - least <= 1)
    end
  end)

  it("are those of their seed", function()
    local a, b = select.kfold(50), select.kfold(50, { seed = 1 })
    assert.same(a.ids:totable(), b.ids:totable())
    assert.are_not.same(a.ids:totable(), select.kfold(50, { seed = 2 }).ids:totable())
  end)

  it("spread classes evenly where asked", function()
    local y = lariat.data.iris().y
    for _, _, test in select.stratified_kfold(y, { folds = 5 }):each() do
      for class = 1, 3 do assert.equal(10, y[test]:eq(class):count_nonzero():item()) end
    end
  end)

  it("print, save, and come back", function()
    local folds = select.kfold(20, { folds = 4 })
    assert.equal("4 folds of 20 rows (shuffled, seed 1): 5 5 5 5", tostring(folds))
    local path = os.tmpname()
    assert.is_true(folds:save(path))
    assert.same(folds.ids:totable(), select.folds(path).ids:totable())
    os.remove(path)
    assert.equal(folds, select.folds(folds))
    assert.same({ 1, 2, 1 }, select.folds({ 1, 2, 1 }).ids:totable())
  end)

  it("share their name with the method of tensors", function()
    assert.same({ 2, 4 }, select(lariat.tensor { { 1, 2 }, { 3, 4 } }, 2, 2):totable())
  end)

  it("refuse, in one sentence", function()
    local function no(words, fn, ...)
      local ok, why = pcall(fn, ...)
      assert.is_false(ok)
      assert.is_truthy(why:find(words, 1, true), why)
    end
    no("1 rows", select.kfold, 1)
    no("folds = 11; of 10 rows there can be 2 to 10", select.kfold, 10, { folds = 11 })
    no("did you mean 'folds'", select.kfold, 10, { fold = 2 })
    no("int64", select.stratified_kfold, lariat.ones(5))
    no("fold 2 of 3 has no row", select.folds, { 1, 3 })
    no("there is a 0", select.folds, { 0, 1 })
    no("whole numbers", select.folds, lariat.tensor { 1.5, 2 })
    local three = select.kfold(9, { folds = 3 })
    no("there is no fold 5", three.split, three, 5)
  end)
end)
