local near = require "spec.support.near"

describe("near", function()
  local nan = 0 / 0

  it("accepts what is near", function()
    near.check({ 1, { 2, 3 } }, { 1 + 1e-12, { 2, 3 } })
    near.check({ nan, math.huge, -math.huge }, { nan, math.huge, -math.huge })
    near.check({ true, false }, { 1, 0 })
    near.check(1e-13, 0)
  end)

  it("says where the worst value is", function()
    local a, b = { { 1, 2 }, { 3, 4 } }, { { 1, 2.1 }, { 3, 5 } }
    local ok, why = near.compare(a, b, { what = "grad" })
    assert.is_false(ok)
    assert.matches("grad: %[2%]%[2%]: got 4, expected 5", why)
    assert.matches("2 of 4 values", why)
  end)

  it("refuses another shape, another sign of infinity and a NaN too many", function()
    assert.is_false(near.compare({ 1, 2 }, { 1, 2, 3 }))
    assert.is_false(near.compare({ 1, { 2 } }, { 1, 2 }))
    assert.is_false(near.compare(1, { 1 }))
    assert.is_false(near.compare(math.huge, -math.huge))
    assert.is_false(near.compare(1e308, math.huge))
    assert.is_false(near.compare(nan, 1))
    assert.is_false(near.compare(1, nan))
    assert.is_false(near.compare(nil, 1))
  end)
end)
