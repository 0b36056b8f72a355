-- Penalties of sparsity, balls, adaptive weights and lambda_max: closed forms and brute force.
local lariat = require "lariat"
local near = require "spec.support.near"

local P = lariat.penalty

local function tensor(values, dtype)
  return lariat.tensor(values, { dtype = dtype or "float64" })
end

local function randn(seed, ...)
  lariat.seed(seed)
  local shape = { ... }
  shape[#shape + 1] = { dtype = "float64" }
  return lariat.randn(table.unpack(shape))
end

describe("penalties that are not convex", function()
  local kinds = {
    l0 = {}, lq = { q = 0.5 }, mcp = { gamma = 2 }, scad = { a = 3 }, log_sum = { eps = 0.3 },
    capped_l1 = { theta = 0.8 },
  }

  local function least(pen, v, step)
    local best, at = v * v / (2 * step), 0
    for k = 1, 6000 do
      local u = k / 1000
      local f = (u - v) ^ 2 / (2 * step) + pen:scalar("value", u)
      if f < best - 1e-13 then best, at = f, u end
    end
    return best, at
  end

  for name, options in pairs(kinds) do
    it(name .. ": the prox is the global minimum at any step", function()
      for _, lambda in ipairs { 0.2, 1 } do
        options.lambda = lambda
        local pen = P[name](options)
        for _, step in ipairs { 0.3, 1, 1.99, 2, 3.5, 9 } do
          for v = 0.05, 5.5, 0.35 do
            local u = pen:scalar("prox", v, step)
            local f = (u - v) ^ 2 / (2 * step) + pen:scalar("value", u)
            local best, at = least(pen, v, step)
            assert.is_true(f <= best + 1e-9,
              ("lambda %g, step %g, v = %g: %g, but %g"):format(lambda, step, v, u, at))
            assert.equal(-u, pen:scalar("prox", -v, step))
          end
        end
      end
    end)

    it(name .. ": nothing lies between 0 and the jump, in float32 too", function()
      local pen = P[name](options)
      local u = pen:prox(lariat.linspace(-4, 4, 801), 6)
      local small = u:abs():gt(0):logical_and(u:abs():lt(0.05)):any():item()
      assert.is_false(small)
    end)
  end

  it("ties go to the smaller magnitude", function()
    near.check(P.l0(2):prox(tensor { 2, -2, 2.0001 }, 1), { 0, 0, 2.0001 }, { rel = 0 })
    near.check(P.mcp { lambda = 1, gamma = 1 }:prox(tensor { 2, 2.001 }, 4), { 0, 2.001 },
      { rel = 0 })
    near.check(P.capped_l1 { lambda = 1, theta = 1 }:prox(tensor { 1.5 }, 1), { 0.5 },
      { rel = 0 })
  end)

  it("lq has the thresholds of Xu et al. and Cao et al.", function()
    local half, two_thirds = P.lq(1), P.lq { q = 2 / 3 }
    local edge = 54 ^ (1 / 3) / 4 * 2 ^ (2 / 3)
    assert.equal(0, half:scalar("prox", edge * (1 - 1e-12), 1))
    near.check(half:scalar("prox", edge * (1 + 1e-12), 1), edge * 2 / 3, { rel = 1e-8 })
    edge = 2 / 3 * (3 * 2 ^ 3) ^ (1 / 4)
    assert.equal(0, two_thirds:scalar("prox", edge * (1 - 1e-12), 1))
    near.check(two_thirds:scalar("prox", edge * (1 + 1e-12), 1), edge / 2, { rel = 1e-6 })
  end)

  it("a factor of mcp and scad is a factor of lambda", function()
    local w = tensor { 0.1, -0.5, 2 }
    for _, name in ipairs { "mcp", "scad" } do
      assert.equal(P[name](0.4):value(w), (2 * P[name](0.2)):value(w))
    end
  end)

  it("scad takes gamma for a", function()
    assert.equal(3, P.scad { gamma = 3 }.a)
    assert.has_error(function() P.scad { gamma = 3, a = 3 } end,
      "scad: a and gamma are one parameter; give one of them")
  end)

  it("compose with l1, squares and signs exactly", function()
    for name, options in pairs(kinds) do
      options.lambda = 0.5
      local pen = P[name](options) + P.elastic_net { lambda = 0.4 } + P.nonnegative()
      assert.is_truthy(tostring(pen):find("exact", 1, true))
      for _, v in ipairs { -1, 0.3, 0.9, 1.7, 2.6, 4 } do
        local u = pen:prox(tensor { v }, 1.5):at(1)
        local function f(x) return (x - v) ^ 2 / 3 + pen:value(tensor { x }) end
        local mine = f(u)
        for k = 0, 500 do
          assert.is_true(mine <= f(k / 100) + 1e-12, ("%s at %g: %g"):format(name, v, u))
        end
      end
    end
  end)

  it("have a subgradient mode where it makes sense", function()
    for _, name in ipairs { "lq", "mcp", "scad", "log_sum", "capped_l1", "slope" } do
      local pen = P[name] { lambda = 0.3, mode = "subgradient" }
      assert.equal("gradient", pen:describe()[1].acts)
    end
    assert.has_error(function() P.l0 { mode = "subgradient" } end,
      "l0: its gradient is 0, so subgradient mode would do nothing")
    local ok, why = pcall(function()
      local out = tensor { 1, math.huge }
      local options = { groups = { { 1 }, { 2 } }, weights = out, mode = "subgradient" }
      return P.group_lasso(options):value(tensor { 1, 2 })
    end)
    assert.is_false(ok)
    assert.is_truthy(tostring(why):find("group 2 is excluded by its weight", 1, true), why)
  end)

  it("two of them on one parameter are refused", function()
    local ok, why = pcall(function() (P.l0() + P.mcp()):prox(tensor { 1 }, 1) end)
    assert.is_false(ok)
    assert.is_truthy(tostring(why):find("no prox of l0 + mcp on 'tensor' is known", 1, true))
  end)
end)

describe("bad parameters are one sentence", function()
  local w = tensor { 1, 2 }
  for _, case in ipairs {
    { "mcp", { gamma = 0 } }, { "mcp", { gamma = -1 } }, { "scad", { a = 2 } },
    { "log_sum", { eps = 0 } }, { "capped_l1", { theta = 0 } }, { "huber", { delta = 0 } },
    { "l1_ball", 0 }, { "l2_ball", -1 }, { "linf_ball", 0 }, { "simplex", 0 }, { "rank", 0 },
    { "slope", { q = 0 } }, { "slope", { weights = tensor { 1, 2 } } }, { "mcp", -1 },
    { "lq", { q = 0.7 } }, { "l0", { lambda = -0.1 } },
  } do
    it(case[1], function()
      local ok, why = pcall(function() return P[case[1]](case[2]):value(w) end)
      assert.is_false(ok)
      assert.is_truthy(tostring(why):find(case[1], 1, true), tostring(why))
      assert.is_nil(tostring(why):find "\n")
    end)
  end

  it("an integer tensor", function()
    local ok, why = pcall(function() return P.mcp():value(tensor({ 1 }, "int64")) end)
    assert.is_false(ok)
    assert.is_truthy(tostring(why):find("penalties act on float tensors", 1, true))
  end)

  it("weights that do not fit", function()
    local ok, why = pcall(function()
      return P.slope { weights = tensor { 2, 1, 0 } }:value(w)
    end)
    assert.is_false(ok)
    assert.is_truthy(tostring(why):find("3 weights of ranks", 1, true), why)
    ok, why = pcall(function()
      return P.group_lasso { groups = { { 1 }, { 2 } }, weights = tensor { 1 } }:value(w)
    end)
    assert.is_false(ok)
    assert.is_truthy(tostring(why):find("1 weights for 2 groups", 1, true), why)
  end)
end)

describe("balls and the simplex", function()
  -- Sorting, the textbook algorithm (Held et al. 1974).
  local function simplex(v, r)
    local s = { table.unpack(v) }
    table.sort(s, function(a, b) return a > b end)
    local sum, tau = 0, 0
    for k, x in ipairs(s) do
      sum = sum + x
      if x > (sum - r) / k then tau = (sum - r) / k end
    end
    local out = {}
    for k, x in ipairs(v) do out[k] = math.max(0, x - tau) end
    return out
  end

  it("are those of sorting", function()
    for seed = 1, 20 do
      local v = randn(seed, 37) * 10 ^ (seed % 5 - 2)
      local signs, sizes = v:sign(), v:abs():totable()
      for _, r in ipairs { 0.01, 1, 7 } do
        local close = { rel = 1e-12, abs = 1e-13 }
        near.check(P.simplex(r):prox(v, 1), simplex(v:totable(), r), close)
        if v:abs():sum():item() > r then
          near.check(P.l1_ball(r):prox(v, 1), signs * tensor(simplex(sizes, r)), close)
        end
      end
    end
  end)

  it("work by row, by column, by lists", function()
    local v = randn(3, 4, 6)
    local rows = P.simplex { by = "row" }:prox(v, 1)
    for k = 1, 4 do near.check(rows[k], P.simplex():prox(v[k], 1), { abs = 1e-15 }) end
    local columns = P.l1_ball { radius = 0.7, by = "column" }:prox(v, 1)
    near.check(columns:t(), P.l1_ball { radius = 0.7, by = "row" }:prox(v:t():contiguous(), 1),
      { abs = 1e-15 })
    local listed = P.l2_ball { radius = 0.3, groups = { { 1, 2 }, { 5 } } }:prox(v, 1)
    assert.equal(v:at(1, 3), listed:at(1, 3))
    near.check(listed:at(1, 5), math.max(-0.3, math.min(0.3, v:at(1, 5))), { rel = 1e-14 })
  end)

  it("are exact on large tensors", function()
    local v = randn(5, 200000)
    local u = P.l1_ball(100):prox(v, 1)
    near.check(u:abs():sum():item(), 100, { rel = 1e-12 })
    local gap = (v - u):abs()
    local tau = gap:max():item()
    local kept = u:ne(0)
    near.check(gap:masked_select(kept):min():item(), tau, { rel = 1e-12 })
  end)
end)

describe("slope", function()
  it("with equal weights is l1, and with linear ones OSCAR", function()
    local w = randn(7, 12)
    near.check(P.slope { lambda = 0.3, weights = lariat.ones(12) }:prox(w, 0.8),
      P.l1(0.3):prox(w, 0.8), { abs = 1e-15 })
    local value = 0
    local v = w:totable()
    for i = 1, 12 do
      value = value + math.abs(v[i])
      for j = 1, i - 1 do value = value + 0.2 * math.max(math.abs(v[i]), math.abs(v[j])) end
    end
    near.check(P.slope { sequence = "oscar", theta = 0.2 }:value(w), value, { rel = 1e-13 })
  end)

  it("has the weights of Benjamini and Hochberg", function()
    local g = P.slope { q = 0.1 }:gradient(tensor { 4, 3, 2, 1 })
    near.check(g, { 2.241402727604945, 1.959963984540054, 1.780464341692026,
      1.644853626951472 }, { rel = 1e-12 })
  end)

  it("makes alike coordinates equal", function()
    local u = P.slope { sequence = "oscar", theta = 1 }:prox(tensor { 5, 5.2, -5.1, 0.1 }, 0.5)
    assert.equal(u:at(1), u:at(2))
    assert.equal(-u:at(1), u:at(3))
    assert.equal(0, u:at(4))
  end)
end)

describe("sums of two", function()
  local parts = {
    P.slope(0.2), P.l1_ball(5), P.l2_ball(1.5), P.linf_ball(0.6), P.l1(0.2), P.elastic_net(0.3),
    P.simplex { by = "row" }, P.group_lasso { lambda = 0.2, by = "input" }, P.nonnegative(),
    P.l1_ball { radius = 1.1, by = "row" }, P.huber(0.3),
  }
  for i = 1, #parts do
    for j = i + 1, #parts do
      local pen = parts[i] + parts[j]
      it(parts[i].name .. " + " .. parts[j].name .. " is optimal", function()
        for seed = 1, 2 do
          local v = randn(seed, 4, 3) * 1.5
          local u = pen:prox(v, 0.8)
          assert.is_true(pen:value(u) < math.huge)
          local g = (v - u) / 0.8
          for _, s in ipairs { 0.1, 1, 2 } do
            near.check(pen:prox(u + g * s, s), u, { rel = 0, abs = 1e-7 })
          end
        end
      end)
    end
  end
end)

describe("constraints that are not convex", function()
  it("rank is the truncated decomposition", function()
    local a = randn(9, 6, 4)
    local u, s, v = lariat.linalg.svd(a)
    local want = u[{ {}, { 1, 2 } }]:matmul(s[{ { 1, 2 } }]:diag())
    want = want:matmul(v[{ {}, { 1, 2 } }]:t())
    near.check(P.rank(2):prox(a, 1), want, { abs = 1e-12 })
    assert.equal(math.huge, P.rank(2):value(a))
    near.check(P.rank(4):prox(a, 1), a, { abs = 1e-13 })
  end)

  it("orthonormal is the polar factor, of rows or columns", function()
    for _, shape in ipairs { { 3, 5 }, { 5, 3 } } do
      local q = P.orthonormal():prox(randn(11, table.unpack(shape)), 1)
      local gram = shape[1] < shape[2] and q:matmul(q:t()) or q:t():matmul(q)
      near.check(gram, lariat.eye(3, { dtype = "float64" }), { abs = 1e-12 })
    end
    local q = P.orthonormal():prox(lariat.zeros(2, 2, { dtype = "float64" }), 1)
    near.check(q:matmul(q:t()), lariat.eye(2, { dtype = "float64" }), { abs = 1e-12 })
  end)

  it("unit_norm scales rows, and gives zeros a direction", function()
    near.check(P.unit_norm():prox(tensor { { 3, 4 }, { 0, 0 } }, 1), { { 0.6, 0.8 }, { 1, 0 } })
    near.check(P.unit_norm { by = "input" }:prox(tensor { { 3, 0 }, { 4, 2 } }, 1),
      { { 0.6, 0 }, { 0.8, 1 } })
  end)
end)

describe("lambda_max", function()
  local g = tensor { { 0.5, -2, 0 }, { 1.5, 0.1, 0.2 } }

  local function holds(pen)
    return pen:prox(g * -1e-3, 1e-3):abs():max():item() == 0
  end

  local makers = {
    l1 = function(l) return P.l1(l) end,
    elastic_net = function(l) return P.elastic_net { lambda = l, l1_ratio = 0.3 } end,
    weighted = function(l)
      return P.l1 { lambda = l, weights = tensor { { 1, 4, 1 }, { 0.5, 1, math.huge } } }
    end,
    mcp = function(l) return P.mcp(l) end, scad = function(l) return P.scad(l) end,
    log_sum = function(l) return P.log_sum { lambda = l, eps = 0.4 } end,
    capped_l1 = function(l) return P.capped_l1(l) end,
    slope = function(l) return P.slope(l) end,
    group_lasso = function(l) return P.group_lasso { lambda = l, by = "input" } end,
    group_weights = function(l)
      return P.group_lasso { lambda = l, by = "input", weights = tensor { 2, 1, 3 } }
    end,
    group_mcp = function(l) return P.group_mcp { lambda = l, by = "output" } end,
  }
  for name, make in pairs(makers) do
    it(name .. ": the prox holds 0 from there on", function()
      local most = make(1):lambda_max(g)
      assert.is_true(most > 0 and most < math.huge)
      assert.is_true(holds(make(most * (1 + 1e-9))))
      assert.is_false(holds(make(most * (1 - 1e-6))))
    end)
  end

  it("does not exist for some", function()
    for _, pen in ipairs { P.l0(), P.lq(), P.l2(), P.huber(), P.l1_ball(1), P.hoyer() } do
      local ok, why = pcall(pen.lambda_max, pen, g)
      assert.is_false(ok)
      assert.is_truthy(tostring(why):find("has no lambda_max", 1, true))
    end
    local ok, why = pcall(function() return (P.l1() + P.l2()):lambda_max(g) end)
    assert.is_false(ok)
    assert.is_truthy(tostring(why):find("this is a sum of 2 terms", 1, true))
  end)
end)

describe("adaptive", function()
  it("weights coordinates by 1/|w|^gamma and excludes zeros", function()
    local from = tensor { 2, -0.5, 0, 1 }
    local pen = P.adaptive(P.l1(0.1), { from = from, gamma = 2 })
    near.check(pen:prox(tensor { 1, 1, 1, -1 }, 1), { 1 - 0.1 / 4, 1 - 0.4, 0, -0.9 })
    assert.equal(math.huge, pen:value(tensor { 1, 1, 1, 1 }))
    near.check(pen:value(tensor { 1, 1, 0, 1 }), 0.1 * (0.25 + 4 + 1))
    near.check((2 * pen):lambda(), 0.2)
  end)

  it("weights groups by 1/|w_g|^gamma", function()
    local from = tensor { { 3, 0, 1 }, { 4, 0, 0 } }
    for _, name in ipairs { "group_lasso", "group_mcp", "group_scad" } do
      local base = P[name] { lambda = 0.2, by = "input" }
      local pen = P.adaptive(base, { from = from })
      local w = tensor { { 1, 2, 1 }, { 2, -1, 0.5 } }
      for _, step in ipairs { 0.9, tensor { { 0.9, 0.9, 0.9 }, { 0.9, 0.9, 0.9 } } } do
        local u = pen:prox(w, step)
        assert.equal(0, u[{ {}, 2 }]:abs():max():item())
        local alone = (1 / 5 * base):prox(w, 0.9)
        near.check(u[{ {}, 1 }], alone[{ {}, 1 }], { rel = 1e-10 })
        near.check(u[{ {}, 3 }], base:prox(w, 0.9)[{ {}, 3 }], { rel = 1e-10 })
      end
      assert.equal(math.huge, pen:value(w))
      assert.is_truthy(tostring(pen):find("weighted by group", 1, true))
    end
  end)

  it("of a model gives each parameter its own weights", function()
    lariat.seed(5)
    local nn = lariat.nn
    local net = nn.sequential { nn.linear(3, 4), nn.relu(), nn.linear(4, 2) }
    local pen = P.adaptive(P.l1(0.1), { from = net })
    near.check(pen:value(net), 0.1 * (12 + 8), { rel = 1e-6 })
    local first = P.adaptive(P.l1(0.1):on("1.*"), { from = net, gamma = 1 })
    near.check(first:value(net), 0.1 * 12, { rel = 1e-6 })
  end)

  it("says what is wrong", function()
    local w = tensor { 1, 2 }
    local function wrong(base, options, what)
      local ok, why = pcall(P.adaptive, base, options)
      assert.is_false(ok)
      assert.is_truthy(tostring(why):find(what, 1, true), tostring(why))
    end
    wrong(1, { from = w }, "expects a penalty, not a number")
    wrong(P.l1(), {}, "say from = ")
    wrong(P.l1(), { from = w, gamma = 0 }, "gamma = 0; it must be above 0")
    wrong(P.l1(), { from = w, gama = 2 }, "unknown key 'gama'")
    wrong(P.slope(), { from = w }, "slope takes no weights")
    wrong(P.box(), { from = w }, "box takes no weights")
    wrong(P.l1() + P.l2(), { from = w }, "a sum of 2 terms")
  end)
end)

describe("hoyer", function()
  local function objective(u, v, step, l)
    return ((u - v) ^ 2):sum():item() / (2 * step) + P.hoyer(l):value(u)
  end

  it("has the prox of the best support, of all of them", function()
    for seed = 1, 30 do
      local v, step, l = randn(seed, 6), 0.5 + seed % 3, 0.05 * (seed % 7 + 1)
      local u = P.hoyer(l):prox(v, step)
      local best = objective(u, v, step, l)
      for mask = 0, 63 do -- descent from every support
        local on = {}
        for j = 0, 5 do on[j + 1] = mask >> j & 1 end
        local keep = tensor(on)
        local x = v * keep
        for _ = 1, 300 do
          x = x - 0.02 * ((x - v) / step + P.hoyer(l):gradient(x)) * keep
          x = x * (x * v):ge(0):double()
        end
        assert.is_true(best <= objective(x, v, step, l) + 1e-9, ("seed %d"):format(seed))
      end
    end
  end)

  it("leaves one weight alone or takes it to 0", function()
    near.check(P.hoyer(1):prox(tensor { 0, -2, 0 }, 1.9), { 0, -2, 0 }, { rel = 1e-12 })
    near.check(P.hoyer(1):prox(tensor { 0, -2, 0 }, 2.1), { 0, 0, 0 }, { rel = 0 })
    near.check(P.hoyer(1):prox(lariat.zeros(4), 1), { 0, 0, 0, 0 }, { rel = 0 })
  end)
end)
