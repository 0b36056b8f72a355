-- How near the true value exp, log, tanh and the like are, in units in the last place (ulp):
-- float64 against values computed with 60 digits, float32 against float64 over its whole
-- range, denormals included; and what infinities and NaN give.
local lariat = require "lariat"
local exact = require "spec.fixtures.functions"

local BOUND = 4 -- ulp, as core/vecmath.h states

-- gelu of a negative x is a density's tail: an error of x in its last place grows by x^2.
local function bound(name, x)
  if name ~= "gelu" then return BOUND end
  return x < 0 and 6 + 2 * x * x or 6
end

local FLOAT = { float32 = { "f", "I4", 0x1.fffffep127 }, float64 = { "d", "I8", math.huge } }

-- From |v| to the next number of the dtype.
local function ulp(dtype, v)
  local float, int = FLOAT[dtype][1], FLOAT[dtype][2]
  local bits = string.unpack(int, string.pack(float, math.abs(v)))
  local next = string.unpack(float, string.pack(int, bits + 1))
  return next - string.unpack(float, string.pack(int, bits))
end

local function check(name, dtype, x, got, want)
  if math.abs(want) >= FLOAT[dtype][3] then -- the largest of the dtype, or beyond it
    assert.is_true(math.abs(got) >= FLOAT[dtype][3] and (got > 0) == (want > 0))
    return
  end
  local off = math.abs(got - want) / ulp(dtype, want)
  assert.is_true(off <= bound(name, x),
    ("%s(%.17g) in %s is %.17g, %.1f ulp from %.17g"):format(name, x, dtype, got, off, want))
end

local function apply(name, xs, dtype)
  local x = lariat.tensor(xs, { dtype = dtype })
  return x[name](x)
end

-- Of all sizes that float32 has, and densely where the functions bend.
local function spread(name)
  local xs = {}
  local lowest = name == "log" and 0 or name == "log1p" and -1 or -math.huge
  local function add(v)
    if v > lowest then xs[#xs + 1] = v end
  end
  for i = -8000, 8000 do add(i * 0.0025) end
  for i = -149, 127 do
    for _, m in ipairs { 1, -1, 1.37, -1.37, 1.71, -1.71 } do add(m * 2.0 ^ i) end
  end
  for i = 1, 200 do
    add(i * 0.5 + 0.123)
    add(-i * 0.5 - 0.123)
  end
  return lariat.tensor(xs, { dtype = "float32" })
end

local names = {}
for name in pairs(exact) do names[#names + 1] = name end
table.sort(names)

describe("within a few units in the last place of the true value is", function()
  for _, name in ipairs(names) do
    it(name .. " in float64", function()
      local xs = {}
      for k, pair in ipairs(exact[name]) do xs[k] = pair[1] end
      local got = apply(name, xs, "float64"):totable()
      for k, pair in ipairs(exact[name]) do check(name, "float64", xs[k], got[k], pair[2]) end
    end)

    it(name .. " in float32", function()
      local x = spread(name)
      local got, want = x[name](x):totable(), apply(name, x:totable(), "float64"):totable()
      for k, at in ipairs(x:totable()) do check(name, "float32", at, got[k], want[k]) end
    end)
  end
end)

describe("at infinity", function()
  local inf, nan = math.huge, 0 / 0
  local limits = { -- at -inf and at inf
    exp = { 0, inf }, expm1 = { -1, inf }, log = { nan, inf }, log1p = { nan, inf },
    tanh = { -1, 1 }, sigmoid = { 0, 1 }, erf = { -1, 1 }, softplus = { 0, inf },
    gelu = { 0, inf },
  }
  for _, name in ipairs(names) do
    it(name .. " has its limits, and NaN stays NaN", function()
      for dtype in pairs(FLOAT) do
        local got = apply(name, { -inf, inf, nan }, dtype):totable()
        for k = 1, 2 do
          local want = limits[name][k]
          assert.is_true(got[k] == want or (want ~= want and got[k] ~= got[k]))
        end
        assert.is_true(got[3] ~= got[3])
      end
    end)
  end

  it("gelu and its slope have theirs in both forms", function()
    for _, form in ipairs { "none", "tanh" } do
      local x = lariat.tensor({ -inf, inf, -50, 50, nan }, { requires_grad = true })
      local y = x:gelu(form)
      y:sum():backward()
      assert.same({ 0, inf, 0, 50 }, y:detach():narrow(1, 1, 4):totable())
      assert.same({ 0, 1, 0, 1 }, x.grad:narrow(1, 1, 4):totable())
      assert.is_true(x.grad[5] ~= x.grad[5])
    end
  end)

  it("logarithms of 0 are there", function()
    assert.same({ -inf }, apply("log", { 0 }, "float32"):totable())
    assert.same({ -inf }, apply("log1p", { -1 }, "float64"):totable())
  end)
end)

-- Pairs of all sizes and signs, infinities, NaN and zeros of either sign among them.
local function pairs_of_all_kinds()
  local special = { 0.0, -0.0, 1.0, -1.0, 2.0, 3.0, 0.5, -0.5, 7.5, 2.0 ^ 60, 1e22, 1e-30, 1e30,
    math.huge, -math.huge, 0 / 0 }
  local a, b = {}, {}
  for _, x in ipairs(special) do
    for _, y in ipairs(special) do a[#a + 1], b[#b + 1] = x, y end
  end
  for i = 1, 3000 do
    a[#a + 1] = math.sin(i) * 10 ^ (i % 13 - 5)
    b[#b + 1] = math.cos(3 * i) * 10 ^ (i % 7 - 3)
  end
  return lariat.tensor(a, { dtype = "float64" }), lariat.tensor(b, { dtype = "float64" })
end

local function modulo(x, y)
  local r = math.fmod(x, y)
  return r ~= 0 and (r < 0) ~= (y < 0) and r + y or r
end

describe("within a few units in the last place of the C library is", function()
  for name, fn in pairs {
    pow = function(x, y) return y == 0.5 and math.sqrt(x) or x ^ y end, atan2 = math.atan,
    mod = modulo,
  } do
    it(name .. " of two numbers of any size", function()
      local a, b = pairs_of_all_kinds()
      for dtype in pairs(FLOAT) do
        local x, y = a:to(dtype), b:to(dtype)
        local got = x[name](x, y):totable()
        x, y = x:totable(), y:totable()
        for k = 1, #got do
          local want = fn(x[k], y[k])
          if want ~= want then
            assert.is_true(got[k] ~= got[k])
          else
            check(name, dtype, x[k], got[k], want)
          end
        end
      end
    end)
  end

  it("a power by one number for all, which gives the same as by a tensor", function()
    local x = lariat.rand(100) + 0.1
    for _, power in ipairs { 1, 2, 3, 0.5, -1, 1.7 } do
      local y = lariat.full({ 100 }, power)
      y[7] = 4
      local all, each = x:pow(power):totable(), x:pow(y):totable()
      each[7] = all[7]
      assert.same(all, each)
    end
  end)
end)
