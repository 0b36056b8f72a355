-- Random sums of two and three convex terms, all there are, against a generic solver.
local lariat = require "lariat"
local admm = require "spec.support.admm"
local near = require "spec.support.near"

local P = lariat.penalty

local ROWS, COLUMNS = 3, 4
local N = ROWS * COLUMNS

local function generator(seed)
  local s = seed
  return function()
    s = 16807 * s % 2147483647
    return s / 2147483647
  end
end

local function tensor(values) return lariat.tensor(values, { dtype = "float64" }) end

-- Blocks for the reference -----------------------------------------------------------------

local function each(c)
  local out = {}
  for j = 1, N do
    local cj = type(c) == "table" and c[j] or c
    out[j] = { norm = 2, c = cj, rows = { { [j] = 1 } } }
  end
  return out
end

local function group(positions, c, norm)
  local rows = {}
  for i, j in ipairs(positions) do rows[i] = { [j] = 1 } end
  return { norm = norm or 2, c = c, rows = rows }
end

local function lists(by)
  local out = {}
  for j = 1, N do
    local g = by == "output" and (j - 1) // COLUMNS + 1 or (j - 1) % COLUMNS + 1
    out[g] = out[g] or {}
    table.insert(out[g], j)
  end
  return out
end

local function norms(groups, l, norm)
  local out = {}
  for k, g in ipairs(groups) do
    out[k] = group(g, l * (norm and 1 or math.sqrt(#g)), norm)
  end
  return out
end

local function differences(l)
  local out = {}
  for j = 1, N do
    if j % COLUMNS ~= 0 then
      out[#out + 1] = { norm = 2, c = l, rows = { { [j] = -1, [j + 1] = 1 } } }
    end
  end
  return out
end

local function vertical(l)
  local out = {}
  for j = 1, N - COLUMNS do
    out[j] = { norm = 2, c = l, rows = { { [j] = -1, [j + COLUMNS] = 1 } } }
  end
  return out
end

local function bounds(lo, hi)
  local b = { norm = "box", rows = {} }
  for j = 1, N do b.rows[j] = { [j] = 1 } end
  b.lo, b.hi = lo, hi
  return { b }
end

local function all(...)
  local out = {}
  for _, list in ipairs { ... } do table.move(list, 1, #list, #out + 1, out) end
  return out
end

local weights = {}
for j = 1, N do weights[j] = j % 5 / 2 end

local function scaled(l)
  local out = {}
  for j = 1, N do out[j] = l * weights[j] end
  return out
end

local tree = { { 1, { 2, 3, { 4, 5 } }, { 6, 7 } }, { 8, { 9, 10 } } }
local branches = { { 4, 5 }, { 2, 3, 4, 5 }, { 6, 7 }, { 1, 2, 3, 4, 5, 6, 7 }, { 9, 10 },
  { 8, 9, 10 } }

-- name -> function(l): the penalty, its blocks, b of b/2 |u|^2, latent groups
local terms = {
  l1 = function(l) return P.l1(l), each(l) end,
  weighted = function(l)
    local w = tensor(weights):view(ROWS, COLUMNS)
    return P.l1 { lambda = l, weights = w }, each(scaled(l))
  end,
  net = function(l)
    return P.elastic_net { lambda = l, l1_ratio = 0.4 }, each(0.4 * l), 0.6 * l
  end,
  l2 = function(l) return P.l2(l), {}, l end,
  input = function(l)
    return P.group_lasso { lambda = l, by = "input" }, norms(lists "input", l)
  end,
  output = function(l)
    return P.group_lasso { lambda = l, by = "output" }, norms(lists "output", l)
  end,
  sparse = function(l)
    return P.sparse_group_lasso { lambda = l, by = "input", l1_ratio = 0.3 },
      all(each(0.3 * l), norms(lists "input", 0.7 * l))
  end,
  linf = function(l)
    return P.group_linf { lambda = l, by = "output" }, norms(lists "output", l, "inf")
  end,
  tv = function(l) return P.tv1d(l), differences(l) end,
  fused = function(l)
    return P.fused_lasso { lambda1 = l / 2, lambda2 = l }, all(each(l / 2), differences(l))
  end,
  tree = function(l)
    return P.tree_group { lambda = l, groups = tree }, norms(branches, l)
  end,
  positive = function() return P.nonnegative(), bounds(0, math.huge) end,
  box = function() return P.box(-0.4, 0.8), bounds(-0.4, 0.8) end,
}
terms.tv2 = function(l) return P.tv2d(l), all(differences(l), vertical(l)) end

terms.bends = function(l)
  local out = {}
  for j = 1, N do
    if (j - 1) % COLUMNS < COLUMNS - 2 then
      out[#out + 1] = { norm = 2, c = l, rows = { { [j] = 1, [j + 1] = -2, [j + 2] = 1 } } }
    end
  end
  return P.trend_filter { lambda = l, order = 1 }, out
end

-- Every coordinate in one block.
local function whole(norm, more)
  local block = group({}, nil, norm)
  for j = 1, N do block.rows[j] = { [j] = 1 } end
  for k, v in pairs(more) do block[k] = v end
  return { block }
end

local function squares(blocks, to)
  for _, block in ipairs(blocks) do block.norm, block.to = "square", to end
  return blocks
end

local function balls(by, norm, radius)
  local out = {}
  for k, list in ipairs(lists(by)) do
    out[k] = group(list, nil, norm)
    out[k].radius = radius
  end
  return out
end

terms.huber = function(l)
  local blocks = each(l)
  for _, block in ipairs(blocks) do block.norm, block.delta = "huber", 0.5 end
  return P.huber { lambda = l, delta = 0.5 }, blocks
end
terms.slope = function(l)
  local falling, c = {}, {}
  for k = 1, N do falling[k], c[k] = 2 - k / 8, l * (2 - k / 8) end
  return P.slope { lambda = l, weights = falling }, whole("sorted", { c = c })
end
terms.exclusive = function(l)
  return P.exclusive_lasso { lambda = l, by = "input" }, norms(lists "input", l, "exclusive")
end
terms.nuclear = function(l) return P.nuclear(l), whole("nuclear", { c = l, lines = ROWS }) end
terms.laplacian = function(l)
  return P.laplacian { lambda = l, by = "grid" }, squares(all(differences(l), vertical(l)))
end
terms.l2_sp = function(l)
  return P.l2_sp { lambda = l, towards = 0.3 }, squares(each(l), 0.3)
end
terms.ewc = function(l)
  return P.ewc { lambda = l, towards = -0.2, fisher = 1.7 }, squares(each(1.7 * l), -0.2)
end
terms.l1_ball = function() return P.l1_ball(2), whole("ball1", { radius = 2 }) end
terms.l1_rows = function()
  return P.l1_ball { radius = 0.9, by = "row" }, balls("output", "ball1", 0.9)
end
terms.l2_ball = function() return P.l2_ball(1.5), whole("ball2", { radius = 1.5 }) end
terms.linf_ball = function() return P.linf_ball(0.6), bounds(-0.6, 0.6) end
terms.simplex = function() return P.simplex(1), whole("simplex", { radius = 1 }) end
terms.max_norm = function() return P.max_norm(0.9), balls("output", "ball2", 0.9) end
terms.norm = function(l)
  return P.group_lasso { lambda = l, by = "all" }, whole(2, { c = l * math.sqrt(N) })
end
terms.weighted_groups = function(l)
  local blocks, weight = norms(lists "input", l), { 1, 0, 2, 0.5 }
  for k, block in ipairs(blocks) do block.c = block.c * weight[k] end
  return P.group_lasso { lambda = l, by = "input", weights = weight }, blocks
end
terms.weighted_sparse = function(l)
  local blocks, weight = norms(lists "output", 0.5 * l), { 2, 0.5, 1 }
  for k, block in ipairs(blocks) do block.c = block.c * weight[k] end
  return P.sparse_group_lasso { lambda = l, by = "output", weights = weight,
    l1_weights = tensor(weights):view(ROWS, COLUMNS) }, all(each(scaled(0.5 * l)), blocks)
end
-- Overlapping groups: what they cost is no function of u in closed form.
terms.overlap = function(l)
  local groups, latent = { { 1, 2, 3, 5 }, { 3, 5, 6 }, { 8, 9, 10 }, { 10, 11, 1 } }, {}
  for k, list in ipairs(groups) do latent[k] = { list = list, c = l * math.sqrt(#list) } end
  return P.overlap_group_lasso { lambda = l, groups = groups }, {}, 0, latent
end

local convex, euclidean = {}, {}
for _, entry in ipairs(P.entries()) do
  convex[entry.name] = entry.convex and entry.has_prox and not entry.forward or nil
  euclidean[entry.name] = entry.euclidean
end

local names, covered = {}, {}
for name, make in pairs(terms) do
  names[#names + 1] = name
  covered[make(1).name] = true
end
table.sort(names)

-- Different terms, and what the reference needs of them.
local function sum_of(list, rng)
  local sum = { names = list, blocks = {}, b = 0 }
  for _, name in ipairs(list) do
    local pen, blocks, b, latent = terms[name](0.1 + 0.5 * rng())
    sum.euclidean = sum.euclidean or euclidean[pen.name]
    sum.pen = sum.pen and sum.pen + pen or pen
    sum.blocks = all(sum.blocks, blocks)
    sum.b, sum.latent = sum.b + (b or 0), sum.latent or latent
  end
  return sum
end

-- A term, and one or two others.
local function draw(rng, first, count)
  local list = { first }
  while #list < count do
    local name = names[math.floor(rng() * #names) + 1]
    local new = true
    for _, other in ipairs(list) do new = new and name ~= other end
    if new then list[#list + 1] = name end
  end
  return sum_of(list, rng)
end

describe("the prox of a random sum", function()
  it("is tried with every convex penalty that has one", function()
    for name in pairs(convex) do assert.is_true(covered[name], name) end
  end)

  local function assert_reference(sum, rng)
    local title = table.concat(sum.names, " + ")
    it(title .. " is that of a generic solver", function()
      local v, t, one = {}, {}, {}
      for j = 1, N do
        v[j] = (2 * rng() - 1) * 3
        t[j], one[j] = 0.2 + rng(), 0.7
      end
      local x = tensor(v):view(ROWS, COLUMNS)
      near.check(sum.pen:prox(x, 0.7):reshape(N), admm(v, one, sum.b, sum.blocks, sum.latent),
        { rel = 0, abs = 1e-6, what = title })
      if sum.euclidean then return end
      near.check(sum.pen:prox(x, tensor(t):view(ROWS, COLUMNS)):reshape(N),
        admm(v, t, sum.b, sum.blocks, sum.latent),
        { rel = 0, abs = 1e-6, what = title .. " in a metric" })
    end)
  end

  for k = 1, 4 * #names do
    local rng = generator(100 + k)
    assert_reference(draw(rng, names[(k - 1) % #names + 1], k % 3 == 0 and 3 or 2), rng)
  end

  -- A norm or seminorm, then what scales it as a whole or by its own groups.
  for k, list in ipairs {
    { "slope", "norm" }, { "nuclear", "l2_ball" }, { "tv", "norm", "l2_ball" },
    { "norm", "input" }, { "linf", "output" }, { "sparse", "l2_ball" }, { "tv2", "l2_ball" },
    { "positive", "overlap", "norm" }, { "l1", "tree", "l2_ball" }, { "l2", "bends", "norm" },
    { "weighted", "weighted_groups", "l2_ball" }, { "fused", "norm" },
  } do
    local sum = sum_of(list, generator(500 + k))
    assert_reference(sum, generator(600 + k))
    it(table.concat(list, " + ") .. " is exact, and print says so", function()
      assert.is_truthy(tostring(sum.pen):find("one after the other, exact", 1, true))
    end)
  end
end)

describe("a sum with a term that is not convex", function()
  local function objective(pen, u, v, step)
    return ((u - v) ^ 2 / (2 * step)):sum():item() + pen:value(u)
  end

  for _, case in ipairs {
    { "l1 + group_mcp", P.l1(0.2) + P.group_mcp { lambda = 0.3, by = "input" } },
    { "nonnegative + group_scad", P.nonnegative() + P.group_scad { lambda = 0.3, by = "row" } },
    { "elastic_net + mcp", P.elastic_net(0.3) + P.mcp(0.4) },
    { "l2 + nuclear_mcp", P.l2(0.5) + P.nuclear_mcp(0.4) },
  } do
    it(case[1] .. " has the least value where a theorem gives it", function()
      lariat.seed(5)
      for _, step in ipairs { 0.5, 2, 5 } do
        local v = lariat.randn(ROWS, COLUMNS, { dtype = "float64" })
        local u = case[2]:prox(v, step)
        local best = objective(case[2], u, v, step)
        for i = 1, 400 do
          local noise = lariat.randn(ROWS, COLUMNS, { dtype = "float64" }) * 10 ^ (-i / 80)
          local from = i % 3 == 0 and v or i % 3 == 1 and u or u * 0
          assert.is_true(objective(case[2], from + noise, v, step) >= best - 1e-9)
          assert.is_true(objective(case[2], from, v, step) >= best - 1e-9)
        end
      end
    end)
  end

  it("is refused where none does, and print says so", function()
    local pen = P.group_mcp { lambda = 0.1, by = "input" } + P.tv1d(0.1)
    local ok, why = pcall(pen.prox, pen, lariat.ones(3, 4), 1)
    assert.is_false(ok)
    assert.is_truthy(why:find("no prox of group_mcp + tv1d on 'tensor' is known, and it is not "
      .. "convex", 1, true) or why:find("no prox of tv1d + group_mcp", 1, true), why)
    assert.is_truthy(tostring(pen):find("not convex: refused", 1, true))
    assert.is_true(pen:value(lariat.ones(3, 4)) > 0)
  end)
end)

describe("group_mcp and group_scad in a metric", function()
  -- The least over a ray of candidates u = v / (1 + c t), by brute force.
  local function brute(pen, v, t)
    local best = math.huge
    for k = -1500, 1500 do
      local u = v / (1 + t * 10 ^ (k / 150))
      best = math.min(best, ((u - v) ^ 2 / (2 * t)):sum():item() + pen:value(u))
    end
    best = math.min(best, pen:value(v), (v ^ 2 / (2 * t)):sum():item())
    return best
  end

  it("find the global minimiser, also where the problem is not convex", function()
    lariat.seed(6)
    for _, name in ipairs { "group_mcp", "group_scad" } do
      local pen = P[name] { lambda = 0.5, by = "all", gamma = 2.1 }
      for _ = 1, 25 do
        local v = 2 * lariat.randn(1, 5, { dtype = "float64" })
        local t = (2 * lariat.randn(1, 5, { dtype = "float64" })):exp()
        local u = pen:prox(v, t)
        local f = ((u - v) ^ 2 / (2 * t)):sum():item() + pen:value(u)
        assert.is_true(f <= brute(pen, v, t) + 1e-9, name)
      end
    end
  end)
end)

describe("groups that hold each other or overlap", function()
  it("a tree: what is inside a zero group is zero", function()
    local v = tensor { 3, 2, 0.1, 0.1, 0.1, 0.3, -0.2, 0, 0 }
    local groups = { { 1, { 2, { 3, 4, 5 } }, { 6, 7 } } }
    local u = P.tree_group { lambda = 0.2, groups = groups }:prox(v, 1):totable()
    assert.same({ 0, 0, 0 }, { u[3], u[4], u[5] })
    assert.is_true(u[1] > 0 and u[2] > 0)
    assert.equal(0, u[8])
  end)

  it("latent groups: the value is the least sum of norms; apart, the group lasso", function()
    local pen = P.overlap_group_lasso { groups = { { 1, 2 }, { 2, 3 } } }
    local w, best = { 1, 0.7, -0.5 }, math.huge
    for k = -4000, 4000 do
      local x = k / 2000
      best = math.min(best, math.sqrt(2) * (math.sqrt(1 + x ^ 2)
        + math.sqrt((0.7 - x) ^ 2 + 0.25)))
    end
    near.check(pen:value(tensor(w)), best, { rel = 0, abs = 1e-6 })
    local apart = { { 1, 3 }, { 2, 4 } }
    local v = tensor { 1, -2, 0.5, 0.1 }
    near.check(P.overlap_group_lasso { lambda = 0.4, groups = apart }:prox(v, 1),
      P.group_lasso { lambda = 0.4, groups = apart }:prox(v, 1), { rel = 1e-10 })
  end)

  it("latent groups: v less its prox is the nearest point with all norms bounded", function()
    local groups = { { 1, 2, 3 }, { 3, 4, 5 }, { 5, 6, 1 } }
    local pen = P.overlap_group_lasso { lambda = 0.5, groups = groups }
    lariat.seed(7)
    for _ = 1, 10 do
      local v = 2 * lariat.randn(6, { dtype = "float64" })
      local a = (v - pen:prox(v, 1)):totable()
      for _, g in ipairs(groups) do
        local sum = 0
        for _, j in ipairs(g) do sum = sum + a[j] ^ 2 end
        assert.is_true(sum <= 0.25 * #g + 1e-9)
      end
    end
  end)

  it("say what is wrong", function()
    local function wrong(name, groups, what)
      local w = tensor { 1, 2, 3 }
      local ok, why = pcall(function() P[name] { groups = groups }:value(w) end)
      assert.is_false(ok)
      assert.is_truthy(why:find(what, 1, true), why)
    end
    wrong("tree_group", { { 1, 2 }, { 2, 3 } },
      "position 2 is in the groups 1 and 2, and the second does not hold the first")
    wrong("tree_group", { { 1, { 1, 2 } } }, "position 1 is twice in group 2")
    wrong("tree_group", { { 1, { 4 } } }, "group 1 lists position 4 of a tensor with 3")
    wrong("overlap_group_lasso", { { 1, 5 } }, "group 1 lists position 5 of a tensor with 3")
    wrong("sparse_group_lasso", { { 1, 2 }, { 2, 3 } }, "position 2 is in the groups 1 and 2")
    wrong("group_mcp", lariat.tensor({ 1, 2, 9 }, { dtype = "int64" }),
      "group id 9 at position 3 is not in 0..3")
    assert.has_error(function() P.fused_lasso { lambda1 = 1, lambda = 2 } end,
      "fused_lasso: give lambda and l1_ratio, or lambda1 and lambda2")
    assert.has_error(function() P.group_mcp { gamma = 0 } end)
    assert.has_error(function() P.group_scad { gamma = 2 } end)
  end)
end)

describe("the laplacian of a graph", function()
  local edges = { { 1, 2 }, { 2, 4, 0.5 }, { 1, 4, 2 } }
  local L = tensor { { 3, -1, 0, -2 }, { -1, 1.5, 0, -0.5 }, { 0, 0, 0, 0 },
    { -2, -0.5, 0, 2.5 } }
  local w = tensor { 0.3, -1, 2, 0.7 }

  it("has the value, gradient and prox of its matrix", function()
    local pen = P.laplacian { lambda = 0.6, edges = edges }
    near.check(pen:value(w), 0.3 * (w * L:matmul(w)):sum():item(), { rel = 1e-14 })
    near.check(pen:gradient(w), 0.6 * L:matmul(w), { abs = 1e-14 })
    local u = pen:prox(w, 2)
    near.check(u + 1.2 * L:matmul(u), w, { abs = 1e-12 })
    assert.is_truthy(tostring(pen):find("on 3 edges", 1, true))
    assert.is_truthy(tostring(pen):find("by gradient", 1, true))
  end)

  it("of a chain and of a grid joins neighbours", function()
    local x = tensor { { 1, 3, 0 }, { 2, 2, 5 } }
    near.check(P.laplacian(2):value(x), 4 + 9 + 0 + 9)
    near.check(P.laplacian { lambda = 2, by = "grid" }:value(x), 4 + 9 + 0 + 9 + 1 + 1 + 25)
  end)

  it("says what is wrong with edges", function()
    local function wrong(o, what)
      local ok, why = pcall(function() P.laplacian(o):value(w) end)
      assert.is_false(ok)
      assert.is_truthy(why:find(what, 1, true), why)
    end
    wrong({ edges = { { 1, 1 } } }, "edge 1 joins position 1 to itself")
    wrong({ edges = { { 1, 2 }, { 1 } } }, "edge 2 is not {i, j} or {i, j, weight}")
    wrong({ edges = { { 1, 5 } } }, "group 1 lists position 5 of a tensor with 4")
    wrong({ edges = { { 1, 2, -1 } } }, "negative")
    wrong({ groups = { { 1, 2, 3 } } }, "edge 1 joins 3 positions, not two")
    wrong({ by = "row" }, "is not one of chain, grid")
  end)
end)

describe("trend filtering", function()
  it("leaves polynomials of its order alone, and of order 0 is tv1d", function()
    lariat.seed(8)
    for order = 0, 4 do
      local p = {}
      for i = 1, 12 do p[i] = 1 + 0.01 * (i - 5) ^ order end
      local pen = P.trend_filter { lambda = 3, order = order }
      near.check(pen:prox(tensor(p), 1), p, { rel = 0, abs = 1e-10 })
      near.check(pen:value(tensor(p)), 0, { abs = 1e-10 })
    end
    local v = lariat.randn(3, 40, { dtype = "float64" })
    near.check(P.trend_filter { lambda = 0.7, order = 0 }:prox(v, 1), P.tv1d(0.7):prox(v, 1))
    assert.has_error(function() P.trend_filter { order = 1.5 } end)
  end)

  it("is optimal for all orders and strengths", function()
    lariat.seed(9)
    local v = lariat.randn(200, { dtype = "float64" })
    for order = 1, 5 do
      for _, lambda in ipairs { 0.01, 1, 100 } do
        local pen = P.trend_filter { lambda = lambda, order = order }
        local u = pen:prox(v, 1)
        near.check(pen:prox(u + (v - u) * 0.3, 0.3), u, { rel = 0, abs = 1e-9 })
      end
    end
  end)
end)
