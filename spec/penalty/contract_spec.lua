-- What every penalty promises, over all entries and over sums of them.
local lariat = require "lariat"
local near = require "spec.support.near"

local P = lariat.penalty

-- A generator of its own, so that specs stand alone.
local function generator(seed)
  local s = seed
  return function()
    s = 16807 * s % 2147483647
    return s / 2147483647
  end
end

local function tensor(values, dtype)
  return lariat.tensor(values, { dtype = dtype or "float64" })
end

local function random(rng, ...)
  local shape, n = { ... }, 1
  for _, d in ipairs(shape) do n = n * d end
  local out = {}
  for i = 1, n do out[i] = (2 * rng() - 1) * 2 ^ (3 * rng() - 1) end
  return tensor(out):view(shape)
end

-- Steps that differ by coordinate, a hundredfold.
local function steps_like(rng, w)
  local out = {}
  for i = 1, w.numel do out[i] = 10 ^ (2 * rng() - 1.5) end
  return tensor(out):view(w.shape)
end

-- Options with which an entry can be used, where its defaults are not enough.
local options = {
  group_lasso = { by = "input", lambda = 0.4 },
  l1 = { lambda = 0.4 }, l2 = { lambda = 0.7 }, elastic_net = { lambda = 0.6, l1_ratio = 0.3 },
  box = { lo = -0.5, hi = 0.7 }, max_norm = { c = 1.1 }, linf_ball = { radius = 0.6 },
  l1_ball = { radius = 1.3 }, l2_ball = { radius = 0.9 }, simplex = { radius = 0.8 },
  slope = { lambda = 0.2, q = 0.3 }, hoyer = { lambda = 0.3 }, l0 = { lambda = 0.3 },
  lq = { lambda = 0.4 }, mcp = { lambda = 0.5, gamma = 2 }, rank = { r = 2 },
  scad = { lambda = 0.4, a = 2.6 }, log_sum = { lambda = 0.3, eps = 0.2 },
  capped_l1 = { lambda = 0.6, theta = 0.7 }, huber = { lambda = 0.7, delta = 0.6 },
  sparse_group_lasso = { by = "input", lambda = 0.5, l1_ratio = 0.4 },
  group_mcp = { by = "input", lambda = 0.3 }, group_scad = { by = "input", lambda = 0.3 },
  l2_sp = { lambda = 0.5, towards = 0.3 },
  ewc = { lambda = 0.5, towards = -0.2, fisher = 1.7 },
  group_linf = { by = "input", lambda = 0.8 }, exclusive_lasso = { by = "input", lambda = 0.6 },
  tree_group = { by = "input", lambda = 0.3 },
  overlap_group_lasso = { by = "input", lambda = 0.3 },
  nuclear = { lambda = 0.4 }, nuclear_mcp = { lambda = 0.4 },
  laplacian = { lambda = 0.6, by = "grid" }, trend_filter = { lambda = 0.3 },
  tv2d = { lambda = 0.4 }, tv1d = { lambda = 0.4 }, fused_lasso = { lambda = 0.6 },
}

local function make(entry) return P[entry.name](options[entry.name]) end

local function dot(a, b) return (a * b):sum():item() end

local function objective(pen, u, v, step)
  return ((u - v) ^ 2 / (2 * step)):sum():item() + pen:value(u)
end

-- No point near the prox, or between it and v, is better.
local function assert_least(pen, v, step, rng, what)
  local u = pen:prox(v, step)
  local best = objective(pen, u, v, step)
  assert.is_true(best < math.huge, what .. ": the prox breaks the constraint")
  for k = 1, 150 do
    local noise = random(rng, table.unpack(v.shape)) * 10 ^ (-k / 25)
    local trial = (k % 3 == 0 and u + (v - u) * rng() or u) + noise
    if k % 4 == 0 then trial = trial * (random(rng, table.unpack(v.shape)):gt(0):double()) end
    local f = objective(pen, trial, v, step)
    assert.is_true(f >= best - 1e-7 * math.max(1, best),
      ("%s: a point with %.12g is below the prox with %.12g"):format(what, f, best))
  end
  return u
end

-- (v - u) / step is a subgradient at u: so u is also the prox at u + s (v - u) / step, any s.
local function assert_optimal(pen, v, step, tolerance, what)
  local u = pen:prox(v, step)
  local g = (v - u) / step
  for _, s in ipairs { 0.05, 1, 3 } do
    near.check(pen:prox(u + g * s, s), u, { rel = 0, abs = tolerance, what = what })
  end
end

local function brute(pen, v, step)
  local lo, hi, best, at = -3 * math.abs(v) - 1, 3 * math.abs(v) + 1, math.huge, 0
  local function f(u) return (u - v) ^ 2 / (2 * step) + pen:scalar("value", u) end
  for _ = 1, 7 do
    local wide = (hi - lo) / 100
    for k = 0, 100 do
      local u = lo + k * wide
      if f(u) < best then best, at = f(u), u end
    end
    lo, hi = at - wide, at + wide
  end
  if f(0) <= best then best, at = f(0), 0 end
  return best, at
end

local numbers = { -4, -1.3, -0.7, -0.5, -0.2, -1e-4, 0, 1e-4, 0.1, 0.4, 0.65, 1, 2.5, 30 }

local function each_shape(rng, fn)
  for _, shape in ipairs { { 1, 1 }, { 3, 5 }, { 17, 9 }, { 4, 3, 2, 2 } } do
    fn(random(rng, table.unpack(shape)), ("shape (%s)"):format(table.concat(shape, ", ")))
  end
end

describe("penalty entries", function()
  it("there are some", function() assert.is_true(#P.entries() >= 7) end)

  -- Those without a prox act on networks only: spec/penalty/network_spec.lua.
  for _, entry in ipairs(P.entries()) do
    if entry.has_prox then describe(entry.name, function()
      local pen = make(entry)

      it("says what it is and where it is from", function()
        for _, key in ipairs { "name", "doc", "source", "formula" } do
          assert.is_truthy(entry[key] and #entry[key] > 3 or key == "name", key)
        end
        assert.is_truthy(entry.source:find "%d%d%d%d", "source has a year")
        assert.is_truthy(tostring(pen):find(entry.name, 1, true))
        for _, p in ipairs(entry.params) do
          assert.is_true(p.lo <= p.default and p.default <= p.hi, p.name)
          assert.is_true(#p.doc > 3, p.name)
        end
      end)

      it("passes its own self-test", function()
        local ok, report = P.check(pen, { quiet = true })
        assert.is_true(ok, table.concat(report, "\n"))
      end)

      if entry.separable then
        it("scalar prox beats brute force, with no optimality residual", function()
          for _, v in ipairs(numbers) do
            for _, step in ipairs { 0.2, 1, 2.5 } do
              local u = pen:scalar("prox", v, step)
              local f = (u - v) ^ 2 / (2 * step) + pen:scalar("value", u)
              local best, at = brute(pen, v, step)
              assert.is_true(f <= best + 1e-8 * math.max(1, best),
                ("v = %g, step %g: prox %.9g, brute %.9g"):format(v, step, u, at))
              assert.is_true(pen:scalar("distance", u, (u - v) / step) < 1e-12)
            end
          end
        end)

        it("vector form is scalar form", function()
          local w = tensor(numbers)
          local value, prox, grad = 0, {}, {}
          for i, v in ipairs(numbers) do
            value = value + pen:scalar("value", v)
            prox[i], grad[i] = pen:scalar("prox", v, 0.7), pen:scalar("gradient", v)
          end
          near.check(pen:value(w), value, { rel = 1e-14, abs = 1e-14 })
          near.check(pen:prox(w, 0.7), prox, { rel = 1e-15, abs = 0 })
          near.check(pen:gradient(w), grad, { rel = 1e-15, abs = 0 })
        end)
      end

      it("prox is least, and optimal, on tensors", function()
        local rng = generator(11)
        each_shape(rng, function(v, what)
          for _, step in ipairs { 0.1, 0.8, 4 } do
            assert_least(pen, v, step, rng, what)
            if entry.convex then assert_optimal(pen, v, step, 1e-10, what) end
          end
        end)
      end)

      it("prox in a diagonal metric is least, and optimal", function()
        local rng = generator(12)
        each_shape(rng, function(v, what)
          local t = steps_like(rng, v)
          if entry.euclidean then
            local u = pen:prox(v, t:mean():item())
            return near.check(pen:prox(v, t), u, { rel = 0, abs = 1e-12, what = what })
          end
          assert_least(pen, v, t, rng, what)
          if entry.convex then assert_optimal(pen, v, t, 1e-9, what) end
        end)
      end)

      it("a metric of one number is no metric", function()
        local rng = generator(13)
        each_shape(rng, function(v)
          near.check(pen:prox(v, lariat.full(v.shape, 0.6, { dtype = "float64" })),
            pen:prox(v, 0.6), { rel = 1e-12, abs = 1e-13 })
        end)
      end)

      if entry.convex then
        it("prox is firmly nonexpansive", function()
          local rng = generator(14)
          for _ = 1, 30 do
            local x, y = random(rng, 4, 3), random(rng, 4, 3)
            local d = pen:prox(x, 0.9) - pen:prox(y, 0.9)
            assert.is_true(dot(d, d) <= dot(d, x - y) + 1e-12)
          end
        end)
      end

      it("float32 is near float64", function()
        local rng = generator(15)
        local v = random(rng, 33, 21)
        local f = v:float()
        v = f:double()
        local t = steps_like(rng, v)
        local same = { rel = 2e-5, abs = 1e-6 }
        near.check(pen:prox(f, 0.5):double(), pen:prox(v, 0.5), same)
        near.check(pen:prox(f, t:float()):double(), pen:prox(v, t), same)
        near.check(pen:gradient(f):double(), pen:gradient(v), same)
        near.check(pen:value(pen:prox(f, 0.5)), pen:value(pen:prox(v, 0.5)), same)
        assert.equal("float32", pen:prox(f, 0.5).dtype)
      end)

      it("strided is contiguous", function()
        local rng = generator(16)
        local v = random(rng, 5, 8):t()
        local c = v:contiguous()
        assert.is_false(v:is_contiguous())
        near.check(pen:prox(v, 0.5), pen:prox(c, 0.5), { rel = 0, abs = 0 })
        near.check(pen:gradient(v), pen:gradient(c), { rel = 0, abs = 0 })
        near.check(pen:value(v), pen:value(c), { rel = 0, abs = 0 })
      end)

      it("is the same on vectors and kernels, in float32, strided", function()
        local rng = generator(18)
        local o = { by = entry.grouped and entry.name ~= "laplacian" and "output" or nil }
        for k, v in pairs(options[entry.name] or {}) do o[k] = o[k] or v end
        local pen_of = P[entry.name](o)
        for _, shape in ipairs { { 1 }, { 7 }, { 4, 3, 2, 2 } } do
          local v = random(rng, table.unpack(shape)):float():double()
          local u = assert_least(pen_of, v, 0.6, rng, entry.name)
          near.check(pen_of:prox(v:float(), 0.6):double(), u, { rel = 2e-5, abs = 1e-6 })
          near.check(pen_of:value(u:float()), pen_of:value(u), { rel = 2e-5, abs = 1e-5 })
          local wide = lariat.stack({ v, v * 0 }, v.ndim + 1):select(v.ndim + 1, 1)
          assert.is_true(wide.numel == 1 or not wide:is_contiguous())
          near.check(pen_of:prox(wide, 0.6), u, { rel = 0, abs = 0 })
          near.check(pen_of:gradient(wide), pen_of:gradient(v), { rel = 0, abs = 0 })
        end
      end)

      it("a prox leaves its argument alone; NaN stays NaN", function()
        local w = tensor { { 1, 2 }, { -3, 0 / 0 } }
        local u = pen:prox(w, 1)
        assert.equal(-3, w:at(2, 1))
        local v = u:at(2, 2)
        assert.is_true(v ~= v)
        v = pen:value(w)
        assert.is_true(v ~= v)
      end)

      it("the same bits for any number of threads", function()
        local n = lariat.threads()
        local rng = generator(17)
        local v = lariat.randn(300, 401, { dtype = "float64" })
        local t = steps_like(rng, random(rng, 1, 401)):expand(300, 401)
        lariat.threads(1)
        local value, a, b = pen:value(v), pen:prox(v, 0.3), pen:prox(v, t)
        lariat.threads(4)
        local value4, a4, b4 = pen:value(v), pen:prox(v, 0.3), pen:prox(v, t)
        lariat.threads(n)
        assert.equal(value, value4)
        assert.is_true(a:eq(a4):all():item() and b:eq(b4):all():item())
      end)

      it("empty tensors are no trouble", function()
        local w = lariat.zeros(0, 3, { dtype = "float64" })
        assert.equal(0, pen:value(w))
        assert.same({ 0, 3 }, pen:prox(w, 1).shape)
      end)

      if entry.separable and not entry.constraint then
        it("weights scale lambda by coordinate; 0 is free, huge is out", function()
          local o = {}
          for k, v in pairs(options[entry.name]) do o[k] = v end
          o.weights = tensor { 0, 1, 2.5, math.huge }
          local heavy = P[entry.name](o)
          local w = { 3, -2, 1.5, -4 }
          local u = heavy:prox(tensor(w), 0.5):totable()
          local t = heavy:prox(tensor(w), tensor { 0.5, 0.5, 0.5, 0.5 }):totable()
          local plain = pen:scalar("prox", w[2], 0.5)
          o.weights, o.lambda = nil, o.lambda * 2.5
          local more = P[entry.name](o):scalar("prox", w[3], 0.5)
          near.check(u, { w[1], plain, more, 0 }, { rel = 1e-14 })
          near.check(t, { w[1], plain, more, 0 }, { rel = 1e-14 })
          assert.equal(math.huge, heavy:value(tensor(w)))
          w[4] = 0
          assert.is_true(heavy:value(tensor(w)) < math.huge)
          assert.equal(0, heavy:gradient(tensor(w)):at(4))
        end)
      end
    end) end
  end
end)

describe("group lasso", function()
  local w = tensor { { 3, 0.1, -2 }, { 4, 0.2, 1 } }

  it("groups by input, by output, by ids, by lists", function()
    local function value(o)
      o.lambda = 1
      return P.group_lasso(o):value(w)
    end
    near.check(value { by = "input" }, math.sqrt(2) * (5 + math.sqrt(0.05) + math.sqrt(5)))
    near.check(value { by = "column" }, value { by = "input" })
    near.check(value { by = "output" },
      math.sqrt(3) * (math.sqrt(13.01) + math.sqrt(17.04)))
    near.check(value { by = "row" }, value { by = "output" })
    near.check(value { groups = tensor({ { 1, 2, 3 }, { 1, 2, 3 } }, "int64") },
      value { by = "input" })
    near.check(value { groups = { { 1, 4 }, { 2, 5 }, { 3, 6 } } }, value { by = "input" })
    near.check(value { groups = { { 1, 4 } } }, math.sqrt(2) * 5)
  end)

  it("gives whole groups at zero, and the closed form elsewhere", function()
    local u = P.group_lasso { lambda = 0.5, by = "input" }:prox(w, 1)
    local t = 0.5 * math.sqrt(2)
    near.check(u, {
      { 3 * (1 - t / 5), 0, -2 * (1 - t / math.sqrt(5)) },
      { 4 * (1 - t / 5), 0, 1 * (1 - t / math.sqrt(5)) },
    })
  end)

  it("on a kernel groups whole filters or channels", function()
    local k = random(generator(3), 4, 3, 2, 2)
    local sum = 0
    for i = 1, 4 do sum = sum + math.sqrt(12) * k[i]:norm():item() end
    near.check(P.group_lasso { by = "output" }:value(k), sum)
    near.check(P.group_lasso { by = "channel" }:value(k), sum)
    sum = 0
    for j = 1, 3 do sum = sum + math.sqrt(16) * k:select(2, j):norm():item() end
    near.check(P.group_lasso { by = "input" }:value(k), sum)
  end)

  it("says what is wrong with groups", function()
    local function wrong(o, what)
      assert.has_error(function() P.group_lasso(o):value(w) end, what)
    end
    wrong({ groups = { { 1, 2 }, { 2, 3 } } },
      "penalty group_lasso on 'tensor': position 2 is in the groups 1 and 2")
    wrong({ groups = { { 1, 7 } } },
      "penalty group_lasso on 'tensor': group 1 lists position 7 of a tensor with 6")
    wrong({ groups = tensor({ 1, 2 }, "int64") },
      "penalty group_lasso on 'tensor': group ids of shape (2) do not fit a tensor of shape "
        .. "(2, 3)")
    wrong({ groups = tensor({ 1, 2, 3, 4, 5, -1 }, "int64") },
      "penalty group_lasso on 'tensor': group id -1 at position 6 is not in 0..6")
    wrong({}, "penalty group_lasso on 'tensor': no groups are given: say by = \"input\", "
      .. "or groups = {{1, 2}, ...}")
  end)
end)

-- Sums: exact compositions and splittings against the true prox.

describe("the prox of a sum", function()
  local parts = {
    l1 = function() return P.l1(0.3) end,
    weighted = function()
      return P.l1 { lambda = 0.4, weights = tensor { { 1, 0, 2 } } }
    end,
    net = function() return P.elastic_net { lambda = 0.5, l1_ratio = 0.4 } end,
    weighted_net = function()
      return P.elastic_net { lambda = 0.5, weights = tensor { { 0.5, 2, 1 } } }
    end,
    input = function() return P.group_lasso { lambda = 0.3, by = "input" } end,
    output = function() return P.group_lasso { lambda = 0.2, by = "output" } end,
    ball = function() return P.max_norm(1.2) end,
    columns = function() return P.max_norm { c = 0.9, by = "input" } end,
    box = function() return P.box(-0.4, 0.8) end,
    positive = function() return P.nonnegative() end,
  }
  local sums = {
    { "l1", "l1" }, { "l1", "net" }, { "net", "net" }, { "net", "weighted_net" },
    { "weighted", "box" }, { "net", "positive" }, { "l1", "input" },
    { "weighted", "output" }, { "net", "input" }, { "weighted_net", "input" },
    { "positive", "input" }, { "box", "input" },
    { "l1", "ball" }, { "net", "ball" }, { "weighted_net", "ball" }, { "box", "ball" },
    { "input", "output" }, { "output", "ball" }, { "input", "ball" }, { "ball", "columns" },
    { "l1", "output", "ball" }, { "net", "input", "ball" }, { "l1", "input", "output" },
    { "net", "positive", "input" }, { "weighted", "box", "columns" }, { "l1", "net", "box" },
    { "weighted_net", "output", "ball" },
  }

  local function sum_of(names)
    local sum = parts[names[1]]()
    for k = 2, #names do sum = sum + parts[names[k]]() end
    return sum
  end

  for _, names in ipairs(sums) do
    local title = table.concat(names, " + ")
    it(title .. " is least and optimal", function()
      local rng, pen = generator(21), sum_of(names)
      for _ = 1, 3 do
        local v = random(rng, 4, 3)
        assert_least(pen, v, 0.8, rng, title)
        assert_optimal(pen, v, 0.8, 1e-7, title)
        local t = steps_like(rng, v)
        assert_least(pen, v, t, rng, title .. " in a metric")
        assert_optimal(pen, v, t, 1e-6, title .. " in a metric")
      end
    end)
  end

  it("is the same in any order", function()
    local rng = generator(22)
    for _, names in ipairs(sums) do
      local back = {}
      for k = #names, 1, -1 do back[#back + 1] = names[k] end
      local v = random(rng, 4, 3)
      near.check(sum_of(names):prox(v, 0.7), sum_of(back):prox(v, 0.7), { abs = 1e-8 })
    end
  end)

  it("keeps zeros exact under splitting, in float32 too", function()
    local pen = P.group_lasso { lambda = 0.4, by = "input" }
      + P.group_lasso { lambda = 0.4, by = "output" }
    local v = tensor { { 3, 0.1, -2 }, { 4, 0.2, 1 }, { 0.1, 0.1, -0.1 } }
    for _, dtype in ipairs { "float64", "float32" } do
      local u = pen:prox(v:to(dtype), 1)
      assert.equal(5, u:eq(0):sum():item())
    end
  end)

  it("says that constraints contradict each other", function()
    local pen = P.box(2, 3) + P.max_norm(1)
    assert.has_error(function() pen:prox(tensor { { 1, 1 } }, 1) end)
    local _, why = pcall(pen.prox, pen, tensor { { 1, 1 } }, 1)
    assert.is_truthy(tostring(why):find("do its constraints contradict each other", 1, true))
  end)

  it("print says how", function()
    local function says(pen, what)
      assert.is_truthy(tostring(pen):find(what, 1, true), tostring(pen))
    end
    says(P.l1(0.1) + P.box(0, 1), "proxes on weights: l1, box: one closed form, exact")
    says(P.group_lasso { by = "input" } + P.l1(),
      "proxes on weights: l1, group_lasso: one after the other, exact")
    says(P.group_lasso { by = "input" } + P.max_norm(1),
      "proxes on weights: group_lasso, max_norm: by Dykstra-like splitting to 1e-10")
    says((P.l1(0.1) + P.box(0, 1)):on "bias", "proxes on biases:")
    assert.is_nil(tostring(P.l1():on "1.weight" + P.box():on "2.weight"):find "proxes")
  end)
end)
