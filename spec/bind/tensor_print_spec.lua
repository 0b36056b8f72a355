-- tostring of a tensor.
local lariat = require "lariat"

local function shows(want, t) assert.equal(want, tostring(t)) end

describe("a tensor prints", function()
  it("whole numbers without a point, aligned, then dtype and shape", function()
    shows("[1, 2, 3]  float32 (3)", lariat.tensor { 1, 2, 3 })
    shows("[[  1,   2],\n [-30, 400]]\nfloat32 (2, 2)",
      lariat.tensor { { 1, 2 }, { -30, 400 } })
    shows("[1, 2]  int64 (2)", lariat.tensor({ 1, 2 }, { dtype = "int64" }))
    shows("[ true, false]  bool (2)", lariat.tensor { true, false })
    shows("7  float32 ()", lariat.tensor(7))
  end)

  it("other numbers with four places, or an exponent where these do not do", function()
    shows("[1.5000, 0.2500]  float32 (2)", lariat.tensor { 1.5, 0.25 })
    shows("[1.0000e+08, 1.0000e-05]  float64 (2)",
      lariat.tensor({ 1e8, 1e-5 }, { dtype = "float64" }))
    shows("[12345678]  float32 (1)", lariat.tensor { 12345678 })
    shows("[ nan,  inf, -inf,    1]  float32 (4)",
      lariat.tensor { 0 / 0, math.huge, -math.huge, 1 })
  end)

  it("the ends of what is long", function()
    shows("[  1,   2,   3, ...,  98,  99, 100]  float32 (100)", lariat.arange(100))
    local text = tostring(lariat.zeros(1000, 1000))
    assert.is_true(#text < 400)
    assert.is_truthy(text:find("...,", 1, true))
  end)

  it("planes apart, nothing for no elements, and what it is to a derivative", function()
    shows("[[[0, 0]],\n\n [[0, 0]]]\nfloat32 (2, 1, 2)", lariat.zeros(2, 1, 2))
    shows("[]  float32 (0)", lariat.zeros(0))
    local w = lariat.ones(1, { requires_grad = true })
    shows("[1]  float32 (1) requires_grad", w)
    shows("[2]  float32 (1) with history", w * 2)
    shows("[1, 2]  float32 (2)", lariat.tensor({ { 1, 9 }, { 2, 9 } })[{ {}, 1 }])
  end)
end)
