-- How far a point is from stationary, for every penalty.
local lariat = require "lariat"
local near = require "spec.support.near"

local P, C = lariat.penalty, lariat.constraint
local F64 = { dtype = "float64" }

local function tensor(values) return lariat.tensor(values, F64) end

local function norm(t) return t:norm():item() end

local function make(entry)
  local o = { lambda = not entry.constraint and 0.4 or nil }
  if entry.grouped and entry.name ~= "laplacian" then o.by = "input" end
  if entry.towards then o.towards = 0.3 end
  if entry.fisher then o.fisher = 1.7 end
  return P[entry.name](o)
end

describe("the distance to the subdifferential", function()
  lariat.seed(21)
  local v, noise = 2 * lariat.randn(4, 5, F64), lariat.randn(4, 5, F64)

  for _, entry in ipairs(P.entries()) do
    if entry.has_prox then
      it("is 0 where the prox ends: " .. entry.name, function()
        local pen = make(entry)
        for _, step in ipairs { 0.1, 0.5 } do
          local u = pen:prox(v, step)
          local g = (u - v) / step -- the gradient of |u - v|^2 / (2 step)
          local slack = entry.convex and 1e-5 or 1e-4
          assert.is_true(pen:distance(u, g) <= slack * norm(g) + 1e-9)
          -- and elsewhere at most as far as from this subgradient
          local far = pen:distance(u, g + 0.1 * noise)
          assert.is_true(far <= 0.1 * norm(noise) * (1 + 1e-3))
        end
      end)
    elseif not entry.forward then
      it("is the size of the gradient: " .. entry.name, function()
        local pen = make(entry)
        near.check(pen:distance(v, noise), norm(noise + pen:gradient(v)), { rel = 1e-12 })
      end)
    end

    if entry.convex and not entry.constraint and not entry.forward then
      it("is the size of the gradient where there is one: " .. entry.name, function()
        local pen = make(entry)
        near.check(pen:distance(v, noise), norm(noise + pen:gradient(v)), { rel = 1e-2 })
      end)
    end
  end

  it("of l1 and of groups is that of textbooks", function()
    local w, g = tensor { 1, 0, 0, -2 }, tensor { -0.5, 0.9, -0.2, 0.1 }
    near.check(P.l1(0.4):distance(w, g), math.sqrt(0.01 + 0.25 + 0 + 0.09), { rel = 1e-12 })
    near.check((P.l1(0.4) + C.linf_ball(9)):distance(w, g), math.sqrt(0.35), { rel = 1e-6 })
    near.check(P.l1 { lambda = 0.4, weights = { 1, 3, math.huge, 0 } }:distance(w, g),
      math.sqrt(0.01 + 0 + 0 + 0.01), { rel = 1e-12 })
    local groups = P.group_lasso { lambda = 0.2, groups = { { 2, 3 }, { 1, 4 } } }
    local inside = math.max(math.sqrt(0.85) - 0.2 * math.sqrt(2), 0)
    local slope = 0.2 * math.sqrt(2) / math.sqrt(5)
    near.check(groups:distance(w, g),
      math.sqrt(inside ^ 2 + (slope - 0.5) ^ 2 + (0.1 - 2 * slope) ^ 2), { rel = 1e-5 })
  end)

  it("of a constraint counts what points outwards only, and is infinite beyond", function()
    local w, g = tensor { 0, 0, 0.5 }, tensor { 2, -3, 1 }
    near.check(C.nonnegative():distance(w, g), math.sqrt(9 + 1), { rel = 1e-12 })
    near.check((C.nonnegative() + C.l2_ball(9)):distance(w, g), math.sqrt(10), { rel = 1e-6 })
    assert.equal(math.huge, C.nonnegative():distance(-1 * w - 1, g))
    assert.equal(math.huge, (P.l1() + C.l2_ball(0.1)):distance(w, g))
  end)

  it("tells a trained model from one that is not", function()
    local x, y = lariat.randn(50, 6, F64), lariat.randn(50, 1, F64)
    local net = lariat.nn.linear(6, 1, { bias = false }):to "float64"
    local pen = P.elastic_net(0.2) + P.l2(0.1) + P.group_lasso { lambda = 0.05, by = "input" }
    local opt = lariat.optim.sgd(net, { lr = 0.2, penalty = pen })
    local function left()
      opt:zero_grad()
      lariat.loss.squared(net(x), y):backward()
      return pen:distance(net.weight:detach(), net.weight.grad)
    end
    local before = left()
    for _ = 1, 300 do
      left()
      opt:step()
    end
    assert.is_true(left() < 1e-6 and before > 1e-2)
    assert.equal("float32", pen:prox(net.weight:float():detach(), 1).dtype)
    assert.is_true(pen:distance(net.weight:float():detach(), net.weight.grad:float()) < 1e-4)
  end)

  it("says what is wrong", function()
    local ok, why = pcall(function() return P.l1():distance(v, tensor { 1 }) end)
    assert.is_false(ok)
    assert.is_truthy(why:find("distance: a gradient of shape (1) for a tensor of shape (4, 5)",
      1, true), why)
    ok, why = pcall(function() return (P.mcp() + P.tv1d()):distance(v, v) end)
    assert.is_false(ok)
    assert.is_truthy(why:find("no prox of mcp + tv1d", 1, true), why)
  end)
end)
