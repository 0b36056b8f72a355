-- Losses against what defines them: the same loss written in Lua, and for cox the figures of
-- R (survival 3.5): diabetes, time floor(y / 25) + 1, status i mod 4 > 0, weights 1 + i mod 3,
--   f <- coxph(Surv(time, status) ~ bmi + s1 + s5, weights = w, ties = "breslow")
--   c(f$coef, gain = f$loglik[2] - f$loglik[1])
local lariat = require "lariat"
local near = require "spec.support.near"

local P, glm = lariat.penalty, lariat.glm
local d = lariat.data.diabetes { dtype = "float64" }
local n = #d
local row = lariat.arange(1, n, { dtype = "float64" })
local function mod(m) return row - (row / m):floor() * m end

local x = (d.x - d.x:mean(1, { keepdim = true })) / d.x:std(1, { keepdim = true })
local y = (d.y - 150) / 80
local two = y:gt(0):long()

local function clamped(t, lo, hi) return t:clamp(lo, hi) end

local same = {
  { "gaussian", y, {}, function(eta, t) return (eta - t):square() / 2 end },
  { "binomial", two:double(), {}, function(eta, t) return eta:softplus() - t * eta end },
  { "poisson", (y + 2):floor(), {}, function(eta, t) return eta:exp() - t * eta end },
  { "huber", y, { delta = 0.4 }, function(eta, t)
    local e = eta - t
    local c = clamped(e, -0.4, 0.4)
    return c * (e - c / 2)
  end },
  { "quantile", y, { tau = 0.3, width = 0.5 }, function(eta, t)
    local a = clamped((t - eta) / 0.5, -0.7, 0.3)
    return a * (t - eta) - a:square() / 4
  end },
  { "hinge", two:double() * 2 - 1, {}, function(eta, t)
    return (1 - t * eta):clamp(0, math.huge):square()
  end },
}

describe("a loss and the same written in Lua:", function()
  for _, case in ipairs(same) do
    local name, response, params, loss = table.unpack(case)
    it(name, function()
      local given = {
        x = x, y = response, penalty = P.elastic_net { l1_ratio = 0.8 }, tol = 1e-9,
        lambda = { 0.1, 0.01 }, weights = mod(3),
      }
      given.family = loss
      local other = glm.path(given)
      given.family = name
      if name == "hinge" then given.y = two + 1 end
      for key, value in pairs(params) do given[key] = value end
      local path = glm.path(given)
      near.check(path.coef, other.coef, { rel = 0, abs = 1e-5, what = "coefficients" })
      if name ~= "poisson" then
        near.check(path.value, other.value, { rel = 1e-8, abs = 0, what = "objective" })
      end
    end)
  end
end)

describe("cox as R's survival:", function()
  local figures = {
    breslow = { -0.112301184151, 0.00400460547243, -0.850323614377, gain = 139.33700492 },
    efron = { -0.126021514162, 0.00457798758969, -0.926502723954, gain = 168.16377977 },
  }
  local few = lariat.stack({ d.x[{ {}, 3 }], d.x[{ {}, 5 }], d.x[{ {}, 9 }] }, 2)
  local status, weights = mod(4):ne(0):double(), mod(3) + 1
  for ties, want in pairs(figures) do
    it(ties, function()
      local path = glm.path {
        x = few, y = (d.y / 25):floor() + 1, status = status, weights = weights, ties = ties,
        family = "cox", lambda = { 1e3, 0 }, tol = 1e-12, standardize = true,
      }
      for j = 1, 3 do near.check(path.coef[{ j, 2 }], want[j], { rel = 1e-7, abs = 0 }) end
      local total = weights:sum():item()
      local gain = total * (path.loss[1] - path.loss[2])
      near.check(gain, want.gain, { rel = 1e-8, abs = 0, what = "log likelihood" })
    end)
  end

  -- The conjugate against its definition: the gap bounds what is left to gain, and is 0 at the
  -- optimum; the best by a distance from stationary that knows no dual.
  for ties in pairs(figures) do
    it("has a duality gap that is one, " .. ties, function()
      local given = {
        x = x, y = (d.y / 25):floor() + 1, status = status, weights = mod(3), ties = ties,
        family = "cox", lambda = { 0.1, 0.02, 1e-3 },
      }
      given.tol = 1e-13
      local best = glm.path(given)
      assert.is_true(best.kkt:max():item() < 1e-6)
      assert.is_true(best.gap:abs():max():item() < 1e-12)
      for _, tol in ipairs { 0.1, 1e-2, 1e-3, 1e-5 } do
        given.tol = tol
        local path = glm.path(given)
        local left = (path.value - best.value) * (2 / path.null_deviance)
        assert.is_true(path.gap:le(tol):all():item())
        assert.is_true(left:le(path.gap + 1e-13):all():item())
      end
    end)
  end

  it("takes rows in any order, and of weight 0 for none", function()
    local order = (row * 31):long() % n + 1
    local given = {
      x = few, y = (d.y / 25):floor() + 1, status = status, weights = mod(2), family = "cox",
      lambda = { 0.02 }, tol = 1e-12, standardize = true,
    }
    local one = glm.path(given)
    for _, key in ipairs { "x", "y", "status" } do
      given[key] = given[key][order]
    end
    given.weights = given.weights[order]
    near.check(glm.path(given).coef, one.coef, { rel = 1e-8, abs = 0 })
    local odd = lariat.arange(1, n, 2):to "int64"
    given.x, given.y, given.status = few[odd], ((d.y / 25):floor() + 1)[odd], status[odd]
    given.weights = nil
    near.check(glm.path(given).coef, one.coef, { rel = 1e-8, abs = 0 })
  end)
end)

describe("labels and values out of range are named by their row:", function()
  local function refuses(part, given)
    given.x, given.lambda = x, { 0.1 }
    local ok, why = pcall(glm.path, given)
    assert(not ok and tostring(why):find(part, 1, true), tostring(why))
  end
  local bad = y:clone()
  bad[7] = 0 / 0

  it("NaN", function()
    for _, family in ipairs { "gaussian", "huber", "quantile" } do
      refuses("row 7", { y = bad, family = family })
    end
  end)
  it("one class", function() refuses("class", { y = two * 0 + 1, family = "multinomial" }) end)
  it("no event", function()
    refuses("event", { y = y + 9, status = two * 0, family = "cox" })
  end)
  it("no status", function() refuses("status", { y = y + 9, family = "cox" }) end)
end)
