-- Standardizing: its identities, and one_hot.
local lariat = require "lariat"
local near = require "support.near"

local data = lariat.data
local standardize = data.standardize

describe("standardize", function()
  local train = lariat.randn(40, 3, { dtype = "float64" }) * 5 + 100
  local test = lariat.randn(7, 3, { dtype = "float64" })

  it("gives mean 0 and standard deviation 1 (1/n) on the first", function()
    local x, other, scaler = standardize(train, test)
    near.check(x:mean(1), { 0, 0, 0 }, { abs = 1e-13 })
    near.check((x ^ 2):mean(1), { 1, 1, 1 }, { rel = 1e-13 })
    near.check(scaler.mean, train:mean(1), { rel = 1e-14 })
    near.check(other, (test - scaler.mean) / scaler.std, { rel = 1e-14 })
    near.check(scaler.std ^ 2, ((train - train:mean(1)) ^ 2):mean(1), { rel = 1e-13 })
  end)

  it("can be undone", function()
    local x, scaler = standardize(train)
    near.check(scaler:invert(x), train, { rel = 1e-14 })
    near.check(scaler:apply(scaler:invert(test)), test, { rel = 1e-12 })
  end)

  it("takes data sets, and leaves all but x as it is", function()
    local d = data.wine()
    local a, b = data.split(d, { 0.7, 0.3 }, { seed = 1 })
    local before = a.x:clone()
    local sa, sb, scaler = standardize(a, b)
    assert.equal(a.y, sa.y)
    assert.equal(d.classes, sb.classes)
    assert.same(before:totable(), a.x:totable())
    assert.equal("float32", sa.x.dtype)
    near.check(sa.x:to "float64":mean(1), lariat.zeros(13), { abs = 1e-6 })
    near.check(scaler:invert(sa).x, a.x, { rel = 1e-5 })
    assert.is_truthy(tostring(sa):find("wine: 125 x 13", 1, true))
    assert.equal("scaler of 13 columns: apply(d), invert(d); mean, std", tostring(scaler))
  end)

  it("takes plain tables and int64", function()
    local d = standardize { x = lariat.tensor({ { 1 }, { 3 } }, { dtype = "int64" }) }
    assert.same({ { -1 }, { 1 } }, d.x:totable())
  end)

  it("keeps a constant column at 0", function()
    for _, dtype in ipairs { "float32", "float64" } do
      local x = lariat.full({ 7, 2 }, 0.1, { dtype = dtype })
      x[{ {}, 2 }] = lariat.arange(1, 7)
      local out, scaler = standardize(x)
      assert.same({ 0, 0, 0, 0, 0, 0, 0 }, out[{ {}, 1 }]:totable())
      assert.equal(1, scaler.std[1])
      assert.equal(0.25, (scaler:apply(x + 0.25)[1][1] * 4 + 0.5) // 1 / 4)
    end
  end)

  it("keeps precision where the mean is large", function()
    local x = lariat.arange(1, 1000):view(1000, 1) + 1e6
    local out = standardize(x)
    near.check((out:to "float64" ^ 2):mean():item(), 1, { rel = 1e-6 })
    near.check(out:to "float64":mean():item(), 0, { abs = 1e-7 })
  end)

  it("leaves missing values missing and out of the count", function()
    local nan = 0 / 0
    local x = lariat.tensor({ { 1, nan }, { nan, nan }, { 3, nan } }, { dtype = "float64" })
    local out, scaler = standardize(x)
    assert.equal(2, scaler.mean[1])
    assert.equal(1, scaler.std[1])
    assert.equal(1, scaler.std[2])
    near.check(out, { { -1, nan }, { nan, nan }, { 1, nan } })
  end)

  it("treats pictures as rows of pixels, and strided x as any", function()
    local x = lariat.randn(10, 2, 3)
    local out = standardize(x)
    assert.same({ 10, 2, 3 }, out.shape)
    near.check(out:view(10, 6), (standardize(x:view(10, 6))), { abs = 0, rel = 0 })
    local wide = lariat.randn(3, 10)
    near.check((standardize(wide:t())), (standardize(wide:t():contiguous())), { rel = 0 })
  end)

  it("refuses in a sentence", function()
    assert.has_error(function() standardize(train, lariat.ones(2, 4)) end,
      "standardize: x (2, 4) has 4 columns, the scaler was fitted on 3")
    assert.has_error(function() standardize(lariat.zeros(0, 3)) end,
      "standardize: x (0, 3) has no rows to be fitted on")
    assert.has_error(function() standardize(train, nil) end, "standardize: argument 2 is nil")
    assert.has_error(function() standardize "x" end,
      "standardize: a data set, or a table with the tensor x, is needed, not a string")
    local _, scaler = standardize(train)
    assert.has_error(function() scaler:apply(lariat.ones(3)) end,
      "standardize: x (3) has 1 columns, the scaler was fitted on 3")
  end)
end)

describe("one_hot", function()
  local labels = lariat.tensor({ 2, 1, 3 }, { dtype = "int64" })

  it("has a 1 in the column of the class", function()
    local t = data.one_hot(labels)
    assert.same({ { 0, 1, 0 }, { 1, 0, 0 }, { 0, 0, 1 } }, t:totable())
    assert.equal("float32", t.dtype)
    assert.same({ 3, 5 }, data.one_hot(labels, 5).shape)
    assert.equal("float64", data.one_hot(labels, 3, { dtype = "float64" }).dtype)
    assert.equal("float64", data.one_hot(labels, { dtype = "float64" }).dtype)
    local y = data.digits().y
    assert.same(y:totable(), data.one_hot(y):argmax(2):totable())
  end)

  it("names the row of a label that is out of range", function()
    assert.has_error(function() data.one_hot(labels, 2) end,
      "one_hot: row 3 has the label 3, which is not in 1..2")
    assert.has_error(function() data.one_hot(labels - 1) end,
      "one_hot: row 2 has the label 0, which is not in 1..2")
    assert.has_error(function() data.one_hot(lariat.ones(3)) end,
      "one_hot: class labels are an int64 tensor (n) of 1..K, not float32 (3)")
    assert.has_error(function() data.one_hot(labels, 0) end,
      "one_hot: classes must be an integer of at least 1, not 0")
  end)
end)
