-- Products of matrices of all shapes that tiles of registers have edges for, against sums.
local lariat = require "lariat"
local near = require "spec.support.near"

-- By rows, by columns, as a part of something wider, and neither by rows nor by columns.
local function layouts(a)
  local wide = lariat.zeros(a.shape[1], 2 * a.shape[2] + 1, { dtype = a.dtype })
  local odd = wide[{ {}, { 1, 2 * a.shape[2], 2 } }]
  odd:copy_(a)
  local part = wide:clone()[{ {}, { 2, a.shape[2] + 1 } }]
  part:copy_(a)
  return { a, a:t():clone():t(), part, odd }
end

local sizes = {
  { 1, 300, 200 }, { 1, 301, 205 }, { 310, 1, 190 }, { 2, 16, 1024 }, { 13, 32, 80 },
  { 14, 33, 71 }, { 15, 48, 48 },
  { 29, 7, 300 }, { 128, 10, 65 }, { 10, 130, 67 }, { 200, 210, 1 }, { 57, 95, 129 },
  { 40, 700, 500 }, { 17, 19, 3000 },
}

describe("a product of matrices", function()
  for _, dtype in ipairs { "float32", "float64" } do
    for _, size in ipairs(sizes) do
      local m, n, k = table.unpack(size)
      it(("of %d x %d and %d terms in %s"):format(m, n, k, dtype), function()
        lariat.seed(9)
        local a = lariat.randn(m, k, { dtype = dtype })
        local b = lariat.randn(k, n, { dtype = dtype })
        local want = lariat.zeros(m, n, { dtype = "float64" })
        for p = 1, k do
          want:add_(a[{ {}, { p, p } }]:double() * b[{ { p, p }, {} }]:double())
        end
        for i, x in ipairs(layouts(a)) do
          for j, y in ipairs(layouts(b)) do
            if i <= j then
              local what = ("layouts %d, %d"):format(i, j)
              near.check(x:matmul(y), want, { rel = 1e-4, abs = 1e-4, what = what })
            end
          end
        end
      end)
    end
  end

  it("that are no numbers stay where they are", function()
    local a, b = lariat.ones(40, 50), lariat.ones(50, 60)
    a[{ 3, 4 }] = 0 / 0
    b[{ 7, 60 }] = 1 / 0
    local c = a:matmul(b)
    assert.equal(60, (c:ne(c)):sum():item())
    assert.equal(39, c:isinf():sum():item())
    assert.equal(50, c[{ 40, 59 }]:item())
  end)
end)
