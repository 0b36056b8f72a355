-- Data sets as objects: made of tensors, cut into rows, printed.
local lariat = require "lariat"

local data = lariat.data

local function int(list) return lariat.tensor(list, { dtype = "int64" }) end

describe("dataset", function()
  local x = lariat.arange(1, 12):view(6, 2)
  local d = data.dataset {
    x = x, y = int { 1, 2, 1, 2, 1, 1 }, weight = lariat.arange(1, 6), names = { "a", "b" },
    classes = { "no", "yes" }, name = "toy", target = "bought", source = "made up",
    text = { day = { "m", "t", "w", "t", "f", "s" } },
  }

  it("has rows", function()
    assert.equal(6, #d)
    local part = d:rows(int { 6, 1 })
    assert.same({ { 11, 12 }, { 1, 2 } }, part.x:totable())
    assert.same({ 1, 1 }, part.y:totable())
    assert.same({ 6, 1 }, part.weight:totable())
    assert.same({ "s", "m" }, part.text.day)
    assert.equal(d.classes, part.classes)
    assert.same({ 2, 3 }, d:rows({ 2, 3 }).weight:totable())
    assert.same({ 5, 6 }, d:rows({ -2, -1 }).weight:totable())
    assert.same({ "t", "t" }, d:rows(d.y:eq(2)).text.day)
    assert.equal(6, #d)
  end)

  it("changes its dtype", function()
    local wide = d:to "float64"
    assert.equal("float64", wide.x.dtype)
    assert.equal("float64", wide.weight.dtype)
    assert.equal("int64", wide.y.dtype)
    assert.equal("float32", d.x.dtype)
  end)

  it("prints what it is", function()
    assert.equal(table.concat({
      "toy: 6 x 2 float32",
      "  features a, b",
      "  target   bought: no 4, yes 2",
      "  text     day (string); not in x",
      "  source   made up",
    }, "\n"), tostring(d))
    assert.equal("data: 2 x 1 float32\n  target   1 .. 3, mean 2",
      tostring(data.dataset { x = lariat.ones(2, 1), y = lariat.tensor { 1, 3 } }))
    assert.is_truthy(tostring(data.digits()):find("pixel_8_8 (64)", 1, true))
    for line in tostring(data.breast_cancer()):gmatch "[^\n]+" do
      assert.is_true(#line <= 96, line)
    end
  end)

  it("refuses what does not fit", function()
    assert.has_error(function() data.dataset { y = x } end,
      "dataset: x must be a sparse matrix, or a tensor of at least one dimension")
    assert.has_error(function() data.dataset { x = x, y = lariat.ones(5) } end,
      "dataset: x has 6 rows and y has 5")
    assert.has_error(function() data.dataset { x = x, y = { 1 } } end,
      "dataset: y must be a tensor, not a table")
    assert.has_error(function() d:rows { 3, 9 } end, "rows: {3, 9} is not in 1..6")
    assert.has_error(function() d:rows "all" end,
      "rows: an int64 tensor, a mask or {from, to} is needed, not a string")
  end)
end)
