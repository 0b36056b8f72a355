-- The l1 ball and the simplex on long tensors, against sorting.
local lariat = require "lariat"
local near = require "spec.support.near"

local P = lariat.penalty
local double = { dtype = "float64" }

-- The level tau with sum of max(0, x - tau) = radius.
local function sorted_level(x, radius)
  local down = x:sort(1):flip(1)
  local n = x.numel
  local count = lariat.arange(1, n):double()
  local level = (down:cumsum(1) - radius) / count
  local on = down:gt(level):double():sum():item()
  return level:at(math.tointeger(on))
end

local function cut(x, tau) return (x - tau):clamp(0, math.huge) end

local makers = {
  noise = function(n) return lariat.randn(n, double) end,
  heavy = function(n) return (lariat.randn(n, double) * 4):exp() end,
  ties = function(n) return lariat.randint(1, 4, { n }):double() end,
  equal = function(n) return lariat.ones(n, double) * -0.7 end,
  near_equal = function(n) return lariat.rand(n, double) * 1e-6 + 1 end,
  bunched = function(n) -- all that is large lies together
    local v = lariat.rand(n, double) * 0.1
    v[{ { n // 2, n // 2 + 3000 } }] = lariat.rand(3001, double) + 5
    return v
  end,
  geometric = function(n) return (lariat.arange(1, n):double() * -1e-3):exp() * 100 end,
  one = function(n)
    local v = lariat.zeros(n, double)
    v[n // 3] = 9
    return v
  end,
}

describe("the l1 ball of a long tensor", function()
  for name, make in pairs(makers) do
    it("is what sorting gives: " .. name, function()
      lariat.seed(11)
      for _, n in ipairs { 70003 } do
        local v = make(n)
        local size = v:abs()
        local total = size:sum():item()
        for _, share in ipairs { 1e-9, 1e-6, 1e-4, 0.01, 0.3, 0.9, 0.999999 } do
          local radius = share * total
          local u = P.l1_ball(radius):prox(v, 1)
          local want = cut(size, sorted_level(size, radius)) * v:sign()
          near.check(u, want, { rel = 1e-9, abs = 1e-11 * size:max():item() })
          near.check(u:abs():sum():item(), radius, { rel = 1e-9, abs = 1e-14 * total })
        end
      end
    end)
  end

  it("takes a step for each coordinate", function()
    lariat.seed(5)
    local n = 80000
    local v, steps = lariat.randn(n, double), lariat.rand(n, double) + 0.2
    for _, radius in ipairs { 1e-3, 1, 100, 10000 } do
      local u = P.l1_ball(radius):prox(v, steps)
      near.check(u:abs():sum():item(), radius, { rel = 1e-9 })
      local tau = ((v - u):abs() / steps)
      local kept = u:ne(0)
      local level = tau:masked_select(kept):max():item()
      near.check(tau:masked_select(kept):min():item(), level, { rel = 1e-9 })
      assert.is_true(tau:max():item() <= level * (1 + 1e-12))
    end
  end)

  it("gives the same bits with one thread and two", function()
    local v, threads = lariat.randn(600000), lariat.threads()
    for _, radius in ipairs { 0.1, 1000 } do
      local at = {}
      for k = 1, 2 do
        lariat.threads(k)
        at[k] = P.l1_ball(radius):prox(v, 1)
      end
      lariat.threads(threads)
      assert.is_true(at[1]:eq(at[2]):all():item())
    end
  end)

  it("of float32 is that of float64 to its digits", function()
    local v = lariat.randn(100000)
    for _, radius in ipairs { 0.01, 30, 5000 } do
      near.check(P.l1_ball(radius):prox(v, 1):double(), P.l1_ball(radius):prox(v:double(), 1),
        { rel = 1e-6, abs = 1e-6 })
    end
  end)
end)

describe("the simplex of a long tensor", function()
  for name, make in pairs(makers) do
    it("is what sorting gives: " .. name, function()
      lariat.seed(12)
      local n = 70001
      local v = make(n) - 0.3
      for _, radius in ipairs { 1e-6, 1, 300, 1e6 } do
        local want = cut(v, sorted_level(v, radius))
        near.check(P.simplex(radius):prox(v, 1), want,
          { rel = 1e-9, abs = 1e-12 * math.max(v:abs():max():item(), radius / n) })
      end
    end)
  end
end)

describe("what the l1 ball cuts off", function()
  it("is 0 without a sign", function()
    local w = P.l1_ball { radius = 2 }:prox(lariat.tensor { -3, 0.1, -0.1, 2, -0.2 }, 1)
    assert.equal(math.huge, 1 / w:at(3))
    assert.equal(math.huge, 1 / w:at(5))
  end)
end)
