-- Total variation of long rows, which are cut into blocks: what makes a point the prox.
local lariat = require "lariat"
local near = require "spec.support.near"

local P = lariat.penalty
local double = { dtype = "float64" }

local function index(n) return lariat.arange(1, n):double() end

-- Rows that are hard in one way or another.
local signals = {
  noise = function(n) return lariat.randn(n, double) end,
  walk = function(n)
    return (lariat.randn(n, double) * 0.1):cumsum(1) + lariat.randn(n, double) * 0.3
  end,
  ramp = function(n) return index(n) * 1e-3 end,
  falling = function(n) return index(n) ^ 2 * -1e-6 end,
  constant = function(n) return lariat.ones(n, double) * 0.3 end,
  alternating = function(n) return (index(n) * math.pi):cos() end,
  wave = function(n) return (index(n) * 1e-3):sin() * 10 end,
  stairs = function(n)
    local stair = (index(n) / 5000):floor()
    return stair * (stair * 2.5):sin()
  end,
  ties = function(n) return lariat.randint(1, 3, { n }):double() end,
  spikes = function(n) return (lariat.rand(n, double) * 1.001):floor() * 1e6 end,
  mixed = function(n)
    local v = lariat.randn(n, double)
    v[{ { 1, n // 2 } }] = 0.25
    return v
  end,
}

-- With z_i = sum of v - x up to i: within lambda, 0 at the end, lambda where x falls and
-- -lambda where it rises; for steps other than 1 each difference is divided by its own.
local function assert_optimal(v, x, lambda, steps)
  local n = v.numel
  local scale = v:abs():max():item()
  local z = ((v - x) / (steps or 1)):cumsum(1)
  local slack = 1e-12 * lambda + 1e-11 * n * scale / (steps and steps:min():item() or 1)
  assert.is_true(math.abs(z:at(n)) <= slack,
    ("%d, lambda %g: the sum has changed by %g"):format(n, lambda, z:at(n)))
  assert.is_true(z:abs():max():item() <= lambda + slack, "a dual of "
    .. z:abs():max():item() .. " for lambda " .. lambda)
  local d, at = x[{ { 2, n } }] - x[{ { 1, n - 1 } }], z[{ { 1, n - 1 } }]
  local off = d:gt(1e-11 * scale):double() * (at + lambda):abs()
    + d:lt(-1e-11 * scale):double() * (at - lambda):abs()
  assert.is_true(off:max():item() <= slack, "a jump where the dual is off by "
    .. off:max():item())
end

describe("tv1d", function()
  before_each(function() lariat.seed(7) end)

  for name, make in pairs(signals) do
    it("is optimal on long rows: " .. name, function()
      for _, n in ipairs { 16384, 20011, 140000 } do
        local v = make(n)
        for _, lambda in ipairs { 1e-9, 0.1, 0.5, 2, 30, 1e3, 1e8 } do
          local x = P.tv1d(lambda):prox(v, 1)
          assert_optimal(v, x, lambda)
          if n == 20011 then
            near.check(P.tv1d(lambda):prox(v:float(), 1):double(), x,
              { rel = 1e-6, abs = 1e-6 * v:abs():max():item() })
          end
        end
      end
    end)
  end

  it("is optimal with a step for each coordinate", function()
    local n = 40000
    local pen = P.tv1d(1)
    for name, make in pairs(signals) do
      local v, steps = make(n), lariat.rand(n, double) + 0.1
      if name ~= "spikes" then assert_optimal(v, pen:prox(v, steps), 1, steps) end
    end
  end)

  it("gives the same bits with one thread and two", function()
    local v = lariat.randn(300000)
    local threads = lariat.threads()
    for _, lambda in ipairs { 1e-3, 0.7, 20 } do
      local at = {}
      for k = 1, 2 do
        lariat.threads(k)
        at[k] = P.tv1d(lambda):prox(v, 1)
      end
      lariat.threads(threads)
      assert.is_true(at[1]:eq(at[2]):all():item())
    end
  end)

  it("treats each row of many alike, long or short", function()
    local v = lariat.randn(3, 17000, double)
    local x = P.tv1d(0.8):prox(v, 1)
    for k = 1, 3 do near.check(x[k], P.tv1d(0.8):prox(v[k]:clone(), 1), { rel = 0 }) end
    local short = v[{ {}, { 1, 50 } }]:contiguous()
    for k = 1, 3 do
      near.check(P.tv1d(0.8):prox(short, 1)[k], P.tv1d(0.8):prox(short[k]:clone(), 1),
        { rel = 0 })
    end
  end)

  it("of one and two coordinates is what it should be", function()
    near.check(P.tv1d(1):prox(lariat.tensor({ 5 }, double), 1), { 5 }, { rel = 0 })
    near.check(P.tv1d(1):prox(lariat.tensor({ 5, 1 }, double), 1), { 4, 2 }, { rel = 0 })
    near.check(P.tv1d(3):prox(lariat.tensor({ 5, 1 }, double), 1), { 3, 3 }, { rel = 0 })
    assert.equal(0, P.tv1d(1):value(lariat.tensor({ 5 }, double)))
  end)

  it("makes a row with NaN or infinity NaN, and no other", function()
    local v = lariat.randn(2, 20000)
    v[{ 1, 777 }] = math.huge
    local x = P.tv1d(0.1):prox(v, 1)
    assert.is_true(x[1]:ne(x[1]):all():item())
    assert.is_false(x[2]:ne(x[2]):any():item())
  end)

  it("sums and differentiates in chunks what it does in one go", function()
    local v = lariat.randn(5, 30000, double)
    local pen = P.tv1d(0.5)
    local d = v[{ {}, { 2, 30000 } }] - v[{ {}, { 1, 29999 } }]
    near.check(pen:value(v), 0.5 * d:abs():sum():item(), { rel = 1e-12 })
    local want = lariat.zeros(5, 30000, double)
    want[{ {}, { 2, 30000 } }] = d:sign() * 0.5
    want[{ {}, { 1, 29999 } }] = want[{ {}, { 1, 29999 } }] - d:sign() * 0.5
    near.check(pen:gradient(v), want, { rel = 0, abs = 1e-15 })
    local column = lariat.randn(70000, 1, double)
    assert.equal(0, pen:value(column))
    near.check(pen:gradient(column), column * 0, { rel = 0 })
  end)
end)

describe("fused_lasso", function()
  it("of a long row thresholds after the differences, and without them too", function()
    lariat.seed(3)
    local v = lariat.randn(20000, double)
    local x = P.tv1d(0.5):prox(v, 1)
    local soft = x:sign() * (x:abs() - 0.2):clamp(0, math.huge)
    near.check(P.fused_lasso { lambda1 = 0.2, lambda2 = 0.5 }:prox(v, 1), soft,
      { rel = 0, abs = 1e-15 })
    near.check(P.fused_lasso { lambda1 = 0.2, lambda2 = 0 }:prox(v, 1), P.l1(0.2):prox(v, 1),
      { rel = 0, abs = 1e-15 })
  end)
end)
