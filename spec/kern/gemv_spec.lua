-- Small matrices times vectors, against sums; their layout does not change a bit.
local lariat = require "lariat"
local near = require "spec.support.near"

local function bits(t) return table.concat(t:reshape(-1):totable(), " ") end

-- The transpose lies by columns; every second column, neither by rows nor by columns.
local function layouts(a)
  local wide = lariat.zeros(a.shape[1], 2 * a.shape[2], { dtype = a.dtype })
  local odd = wide[{ {}, { 1, 2 * a.shape[2], 2 } }]
  odd:copy_(a)
  return { a, a:t():clone():t(), odd }
end

describe("a small matrix times a vector", function()
  for _, dtype in ipairs { "float32", "float64" } do
    for _, size in ipairs { { 1, 1 }, { 3, 7 }, { 8, 8 }, { 9, 17 }, { 37, 20 }, { 64, 64 } } do
      it(("of %d x %d in %s"):format(size[1], size[2], dtype), function()
        lariat.seed(7)
        local a = lariat.randn(size[1], size[2], { dtype = dtype })
        local x = lariat.randn(size[2], 1, { dtype = dtype })
        local sums = (a:double() * x:double():t()):sum(2, { keepdim = true })
        local y = a:matmul(x)
        near.check(y, sums, { rel = 1e-5, abs = 1e-5, what = "A x" })
        for _, b in ipairs(layouts(a)) do
          assert.equal(bits(y), bits(b:matmul(x)))
          assert.equal(bits(y), bits(x:t():matmul(b:t())))
          assert.equal(bits(y), bits(b:matmul(layouts(x)[3])))
        end
      end)
    end
  end
end)
