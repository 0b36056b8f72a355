-- The data sets inside, against figures published with them.
local lariat = require "lariat"
local near = require "support.near"

local data = lariat.data

-- Rows, columns, counts of the classes; means from the sets' own documentation (scikit-learn's
-- user guide, "Toy datasets", quotes the summary tables of iris, wine and breast cancer).
local sets = {
  digits = { 1797, 64, { 178, 182, 177, 183, 181, 182, 181, 179, 174, 180 } },
  breast_cancer = { 569, 30, { 212, 357 } },
  wine = { 178, 13, { 59, 71, 48 } },
  iris = { 150, 4, { 50, 50, 50 } },
}

describe("shipped data", function()
  for name, about in pairs(sets) do
    it(name .. " has its rows, columns and classes", function()
      local d = data[name]()
      assert.same({ about[1], about[2] }, d.x.shape)
      assert.same({ about[1] }, d.y.shape)
      assert.equal("float32", d.x.dtype)
      assert.equal("int64", d.y.dtype)
      assert.equal(about[2], #d.names)
      assert.equal(#about[3], #d.classes)
      assert.same(about[3], lariat.core.class_counts(d.y, #d.classes))
      assert.equal(0, d.x:ne(d.x):sum():item())
    end)
  end

  it("names source, licence and target", function()
    for name in pairs { diabetes = 1, digits = 1, breast_cancer = 1, wine = 1, iris = 1 } do
      local d = data[name]()
      for _, key in ipairs { "source", "license", "description", "target", "name" } do
        assert.is_true(type(d[key]) == "string" and #d[key] > 3, name .. " " .. key)
      end
      assert.equal(name, d.name)
    end
  end)

  it("comes in the dtype that is asked for", function()
    assert.equal("float64", data.iris({ dtype = "float64" }).x.dtype)
    local d = data.diabetes { dtype = "float64" }
    assert.equal("float64", d.x.dtype)
    assert.equal("float64", d.y.dtype)
    assert.has_error(function() data.iris { dtyp = "float64" } end,
      "data.iris: unknown key 'dtyp'; did you mean 'dtype'?")
    assert.has_error(function() data.iris { scaled = true } end,
      "data.iris: unknown key 'scaled'; did you mean 'dtype'?")
  end)

  it("iris, wine, breast cancer and digits have the known means and ranges", function()
    local wide = { dtype = "float64" }
    local x = data.iris(wide).x
    near.check(x:mean(1), { 5.8433333333333, 3.0573333333333, 3.758, 1.1993333333333 },
      { rel = 1e-12 })
    x = data.wine(wide).x
    near.check(x:mean(1):totable()[1], 13.000617977528, { rel = 1e-12 })
    near.check(x:mean(1):totable()[13], 746.893258426966, { rel = 1e-12 })
    x = data.breast_cancer(wide).x
    near.check(x:mean(1):totable()[1], 14.127291739895, { rel = 1e-12 })
    assert.equal(6.981, x[{ {}, 1 }]:min():item())
    assert.equal(28.11, x[{ {}, 1 }]:max():item())
    x = data.digits(wide).x
    assert.equal(561718, x:sum():item())
    assert.equal(16, x:max():item())
    assert.equal(0, x:min():item())
  end)

  it("diabetes is raw, or scaled as in scikit-learn", function()
    local d = data.diabetes { dtype = "float64" }
    assert.same({ 59, 2, 32.1, 101, 157, 93.2, 38, 4, 4.8598, 87 }, d.x[1]:totable())
    assert.equal(151, d.y[1])
    near.check(d.y:mean():item(), 152.13348416289594, { rel = 1e-14 })
    local s = data.diabetes { dtype = "float64", scaled = true }
    near.check(s.x[1], { 0.038075906433423026, 0.05068011873981862, 0.061696206518683294,
      0.0218723855140367, -0.04422349842444599, -0.03482076283769895, -0.04340084565202491,
      -0.002592261998183278, 0.019907486170462722, -0.01764612515980379 }, { rel = 1e-12 })
    near.check((s.x ^ 2):sum(1), lariat.ones(10), { rel = 1e-12 })
    assert.equal("float32", data.diabetes({ scaled = true }).x.dtype)
  end)

  it("digits are pictures", function()
    local d = data.digits()
    assert.equal("0", d.classes[d.y[1]])
    assert.same({ 0, 0, 5, 13, 9, 1, 0, 0 }, d.x[1]:view(8, 8)[1]:totable())
    assert.equal("pixel_8_8", d.names[64])
  end)

  it("is new each time", function()
    local a = data.iris()
    a.x:zero_()
    assert.is_true(data.iris().x:sum():item() > 0)
  end)

  it("does not know what is not there", function()
    assert.is_nil(data.no_such_set)
    assert.is_nil(data.support)
    assert.is_nil(data["support.table"])
    assert.is_nil(data[1])
  end)
end)
