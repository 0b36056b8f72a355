-- Weights of every penalty that takes them, and adaptive ones.
local lariat = require "lariat"
local near = require "spec.support.near"

local P = lariat.penalty
local F64 = { dtype = "float64" }

local function tensor(values) return lariat.tensor(values, F64) end

local tree = { { 1, 5 }, { 1, 5, 2, 6 }, { 3, 7 } }
local cover = { { 1, 2, 5 }, { 2, 3, 6 }, { 7, 8 } }

-- Options of group penalties for a (2, 4) tensor, and their number of groups.
local grouped = {
  group_lasso = { { by = "input" }, 4 }, group_mcp = { { by = "input" }, 4 },
  group_scad = { { by = "input" }, 4 }, group_linf = { { by = "input" }, 4 },
  exclusive_lasso = { { by = "input" }, 4 }, sparse_group_lasso = { { by = "input" }, 4 },
  tree_group = { { groups = tree }, 3 }, overlap_group_lasso = { { groups = cover }, 3 },
}

local function make(name, more)
  local own = { lambda = 0.4 }
  for k, v in pairs(grouped[name] and grouped[name][1] or {}) do own[k] = v end
  for k, v in pairs(more) do own[k] = v end
  return P[name](own)
end

local function objective(pen, u, v, step)
  return ((u - v) ^ 2 / (2 * step)):sum():item() + pen:value(u)
end

-- No point near the prox or between it and v is better.
local function assert_least(pen, v, step)
  local u = pen:prox(v, step)
  local best = objective(pen, u, v, step)
  assert.is_true(best < math.huge)
  for k = 1, 200 do
    local noise = lariat.randn(v.shape, F64) * 10 ^ (-k / 30) * u:ne(0):double()
    local trial = (k % 3 == 0 and u + (v - u) * 0.1 or u) + (k % 2 == 0 and noise or 0 * u)
    assert.is_true(objective(pen, trial, v, step) >= best - 1e-8 * math.max(1, best))
  end
  return u
end

local entries = {}
for _, entry in ipairs(P.entries()) do entries[entry.name] = entry end

describe("weights by group", function()
  lariat.seed(11)
  local v = 2 * lariat.randn(2, 4, F64)
  local t = lariat.rand(2, 4, F64) + 0.2

  for name, case in pairs(grouped) do
    local n, euclidean = case[2], entries[name].euclidean

    it("of one number are a factor of lambda: " .. name, function()
      local pen = make(name, { weights = lariat.full({ n }, 2.5, F64) })
      local twin = make(name, { lambda = 1 })
      if name == "sparse_group_lasso" then
        pen = make(name, { weights = lariat.full({ n }, 2.5, F64),
          l1_weights = lariat.full({ 2, 4 }, 2.5, F64) })
      end
      for _, w in ipairs { v, pen:prox(v, 0.3) } do
        near.check(pen:value(w), twin:value(w), { rel = 1e-11 })
        near.check(pen:gradient(w), twin:gradient(w), { rel = 1e-9, abs = 1e-12 })
      end
      near.check(pen:prox(v, 0.3), twin:prox(v, 0.3), { rel = 1e-9, abs = 1e-12 })
      near.check(pen:prox(v, t), twin:prox(v, t), { rel = 1e-9, abs = 1e-12 })
    end)

    it("scale each group, in a metric too: " .. name, function()
      local values = { 0.3, 2, 1.2, 0.7 }
      local pen = make(name, { weights = tensor { table.unpack(values, 1, n) } })
      for _, step in ipairs { 0.1, 0.6, 2 } do assert_least(pen, v, step) end
      if not euclidean then assert_least(pen, v, t) end
      local float = pen:prox(v:float(), 0.6):double()
      near.check(float, pen:prox(v, 0.6), { rel = 1e-4, abs = 1e-6 })
      assert.is_truthy(tostring(pen):find("weighted by group", 1, true))
    end)

    it("leave free what has 0, and out what has infinity: " .. name, function()
      local out = n == 3 and { 0, 1, math.huge } or { 0, 1, 2, math.huge }
      local pen = make(name, { weights = tensor(out), l1_ratio = name:find "sparse" and 0 })
      for _, step in ipairs { 0.6, t } do
        local u = pen:prox(v, step):totable()
        local w = v:totable()
        if name == "tree_group" then
          assert.is_true(math.abs(u[1][1]) < math.abs(w[1][1])) -- held by the second
          assert.same({ 0, 0, w[2][4] }, { u[1][3], u[2][3], u[2][4] })
        elseif name == "overlap_group_lasso" then
          assert.same({ w[1][1], w[1][2], w[2][1] }, { u[1][1], u[1][2], u[2][1] })
          assert.same({ 0, 0, w[1][4] }, { u[2][3], u[2][4], w[1][4] })
        else
          assert.same({ w[1][1], w[2][1] }, { u[1][1], u[2][1] })
          assert.same({ 0, 0 }, { u[1][4], u[2][4] })
        end
        assert.equal(math.huge, pen:value(v))
        assert.is_true(pen:value(pen:prox(v, step)) < math.huge)
        assert.is_true(pen:gradient(v):isfinite():all():item())
      end
    end)

    it("count for lambda_max: " .. name, function()
      if name == "exclusive_lasso" then return end
      local weights = tensor { table.unpack({ 0.5, 2, 1.3, 4 }, 1, n) }
      local function with(l) return make(name, { weights = weights, lambda = l }) end
      local most = with(1):lambda_max(v)
      local function cost(l) return with(1):value(with(l):prox(v * 1e-2, 1e-2)) end
      assert.is_true(cost(most * (1 + 1e-8)) < 1e-12)
      assert.is_true(cost(most * (1 - 1e-6)) > 1e-10)
    end)

    it("cannot exclude in a gradient: " .. name, function()
      local ok, why = pcall(function()
        return make(name, { mode = "subgradient",
          weights = lariat.full({ n }, math.huge, F64) }):value(v)
      end)
      assert.is_false(ok)
      assert.is_truthy(tostring(why):find("group 1 is excluded by its weight", 1, true), why)
      make(name, { mode = "subgradient", weights = lariat.ones(n) }):value(v)
    end)
  end
end)

describe("weights of the sparse group lasso", function()
  lariat.seed(12)
  local v = 2 * lariat.randn(2, 4, F64)
  local groups, each = tensor { 0, 1, 0.5, 3 }, tensor { { 1, 0, 2, 1 }, { 0.2, 4, 0, 1 } }

  it("are of both parts", function()
    local pen = P.sparse_group_lasso {
      lambda = 0.3, l1_ratio = 0.4, by = "input", weights = groups, l1_weights = each,
    }
    local l1 = P.l1 { lambda = 0.12, weights = each }
    local norms = P.group_lasso { lambda = 0.18, by = "input", weights = groups }
    near.check(pen:value(v), l1:value(v) + norms:value(v), { rel = 1e-14 })
    near.check(pen:gradient(v), l1:gradient(v) + norms:gradient(v), { rel = 1e-14 })
    near.check(pen:prox(v, 0.7), (l1 + norms):prox(v, 0.7), { rel = 1e-13 })
    local t = lariat.rand(2, 4, F64) + 0.1
    near.check(pen:prox(v, t), (l1 + norms):prox(v, t), { rel = 1e-12 })
    assert.is_truthy(tostring(pen):find("weighted by group and coordinate", 1, true))
  end)

  it("exclude coordinates", function()
    local pen = P.sparse_group_lasso { lambda = 0.3, by = "input",
      l1_weights = tensor { { 1, math.huge, 1, 0 } } }
    local u = pen:prox(v, 0.5)
    assert.equal(0, u:select(2, 2):abs():max():item())
    assert.equal(math.huge, pen:value(v))
    assert.is_true(pen:value(u) < math.huge)
    assert.equal(0, pen:gradient(u):select(2, 2):abs():max():item())
    local ok, why = pcall(function()
      return P.sparse_group_lasso { by = "input", mode = "subgradient",
        l1_weights = tensor { { 1, math.huge, 1, 0 } } }:value(v)
    end)
    assert.is_false(ok)
    assert.is_truthy(why:find("coordinate 2 is excluded by its weight", 1, true), why)
  end)
end)

describe("adaptive", function()
  lariat.seed(13)
  local from, v = lariat.randn(2, 4, F64), 2 * lariat.randn(2, 4, F64)
  local lists = {
    tree_group = tree, overlap_group_lasso = cover,
  }

  -- The weights, made by hand.
  local function expected(name)
    if not grouped[name] then return { weights = from:abs() ^ -1.5 } end
    local weights, flat = {}, from:view(8):totable()
    for k, g in ipairs(lists[name] or { { 1, 5 }, { 2, 6 }, { 3, 7 }, { 4, 8 } }) do
      local sum = 0
      for _, j in ipairs(g) do sum = sum + flat[j] ^ 2 end
      weights[k] = sum ^ (-1.5 / 2)
    end
    return { weights = tensor(weights),
      l1_weights = name == "sparse_group_lasso" and from:abs() ^ -1.5 or nil }
  end

  it("reweights every separable and every group penalty", function()
    local count = 0
    for name, entry in pairs(entries) do
      local free = not entry.constraint and name ~= "laplacian" and not entry.towards
      if free and (entry.separable or grouped[name]) then
        count = count + 1
        local base, want = make(name, {}), make(name, expected(name))
        local pen = P.adaptive(base, { from = from, gamma = 1.5 })
        near.check(pen:value(v), want:value(v), { rel = 1e-11, what = name })
        if entry.has_prox then
          near.check(pen:prox(v, 0.3), want:prox(v, 0.3), { rel = 1e-9, abs = 1e-12 })
        end
        near.check((3 * P.adaptive(0.5 * base, { from = from })):lambda(), 0.6)
      end
    end
    assert.is_true(count >= 18, tostring(count))
  end)

  it("keeps out what was 0 in the earlier fit, of both parts", function()
    local zeros = from:clone()
    zeros[1][1], zeros[1][2], zeros[2][2] = 0, 0, 0
    local pen = P.adaptive(P.sparse_group_lasso { lambda = 0.01, by = "input" },
      { from = zeros })
    local u = pen:prox(v, 0.5)
    assert.equal(0, u:at(1, 1))
    assert.equal(0, u:select(2, 2):abs():max():item())
    assert.is_true(u:at(2, 1) ~= 0 and u:at(1, 3) ~= 0)
  end)

  it("multiplies the weights that were there, in a scope", function()
    local nn = lariat.nn
    local net = nn.sequential { nn.linear(4, 2), nn.relu(), nn.linear(2, 2) }:to "float64"
    local base = P.group_lasso { lambda = 0.1, by = "input", weights = { 1, 0, 2, 1 } }
    local pen = P.adaptive(base:on "1.weight", { from = net, gamma = 1 })
    near.check(pen:value(net), 0.1 * math.sqrt(2) * (1 + 0 + 2 + 1), { rel = 1e-12 })
    assert.same({ "1.weight" }, pen:describe()[1].on)
  end)

  it("makes the oracle's choice where l1 does not", function()
    lariat.seed(14)
    local x = lariat.randn(200, 12, F64)
    local truth = tensor { 2, -1.5, 1 }
    local y = x[{ {}, { 1, 3 } }]:mv(truth):view(200, 1) + 0.5 * lariat.randn(200, 1, F64)
    local function fit(pen)
      local net = lariat.nn.linear(12, 1, { bias = false }):to "float64"
      local opt = lariat.optim.sgd(net, { lr = 0.2, penalty = pen })
      for _ = 1, 400 do
        opt:zero_grad()
        lariat.loss.squared(net(x), y):backward()
        opt:step()
      end
      return net
    end
    local ridge = fit(P.l2(0.01))
    local lasso, adapted = fit(P.l1(0.05)), fit(P.adaptive(P.l1(0.05), { from = ridge }))
    local function chosen(net) return net.weight:ne(0):sum():item() end
    assert.equal(3, chosen(adapted))
    assert.is_true(chosen(lasso) >= 3)
    local function bias(net)
      return (net.weight:detach()[1][{ { 1, 3 } }] - truth):abs():sum():item()
    end
    assert.is_true(bias(adapted) < bias(lasso))
  end)
end)
