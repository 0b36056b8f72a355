-- What a penalty says of itself: enough to make it again, and to read it.
local lariat = require "lariat"
local near = require "spec.support.near"

local P, C, nn = lariat.penalty, lariat.constraint, lariat.nn
local F64 = { dtype = "float64" }

local function again(reg)
  local sum
  for _, t in ipairs(reg:describe()) do
    local term = t.scale * (t.spec and P.new(t.spec) or P[t.kind](t.options))
    if t.on and t.on ~= "weight" then term = term:on(t.on) end
    sum = sum and sum + term or term
  end
  return sum
end

describe("a penalty made again from its description", function()
  local net = nn.sequential { nn.linear(4, 3), nn.sigmoid(), nn.linear(3, 2) }:to "float64"
  local x, y = lariat.randn(6, 4, F64), lariat.randn(6, 2, F64)

  local function same(reg)
    local twin = again(reg)
    assert.equal(tostring(reg), tostring(twin))
    near.check(twin:value(net, x, y, "mse"), reg:value(net, x, y, "mse"), { rel = 0, abs = 0 })
  end

  for _, entry in ipairs(P.entries()) do
    it(entry.name, function()
      local more = { lambda = not entry.constraint and 0.3 or nil }
      if entry.grouped and entry.name ~= "laplacian" then more.by = "output" end
      if entry.towards then more.towards = net end
      if entry.fisher then more.fisher = 0.5 end
      if entry.name == "rank" then more.r = 3 end
      same(P[entry.name](more))
      same(3 * P[entry.name](more))
    end)
  end

  it("with everything that a term may have", function()
    same(P.slope { sequence = "oscar", theta = 0.3 } + P.slope { q = 0.3 })
    same(P.l1 { lambda = 0.1, weights = { 1, math.huge, 0, 2 } }:on("1.weight"))
    same(P.l1 { lambda = function() return 0.3 end }:on("bias", "3.*") * 2)
    same(P.l1(0.1):on(function(name) return name == "1.bias" end))
    same(P.mcp { lambda = 0.2, gamma = 2, mode = "subgradient" } + C.max_norm(9))
    same(P.trend_filter { order = 2 } + C.box { lo = -9 } + P.hoyer(0.1))
    same(P.group_lasso { groups = { { 1, 2 }, { 5, 4 } }, weights = { 1, 3 } }:on "1.weight")
    same(P.tree_group { groups = { { 1, { 2, 3 } } } })
    same(P.laplacian { edges = { { 1, 2 }, { 2, 3, 0.5 } } })
    same(P.group_mcp { groups = lariat.tensor({ { 1, 1, 2 }, { 0, 2, 2 } },
      { dtype = "int64" }) }:on "3.weight")
    same(P.sparse_group_lasso { by = "input", weights = { 1, 2, 0, 1 },
      l1_weights = lariat.ones(3, 4) }:on "1.weight")
    same(P.l2_sp { towards = 0.5 } + P.ewc { towards = net, fisher = { ["1.weight"] =
      lariat.ones(3, 4), ["3.weight"] = lariat.ones(2, 3) } })
    same(P.activation_l1(0.1):on "2" + P.kl_sparsity { rho = 0.1 } + P.entropy(0.1))
    same(P.adaptive(P.l1(0.1), { from = net }))
    same(2 * P.new { name = "mine", eps = 0.2,
      value = function(self, w) return self.eps * w:abs():sum() end }:on("1.*"))
  end)

  it("gives copies", function()
    local pen = P.l1 { weights = { 1, 2 } }
    pen:describe()[1].options.weights:fill_(7)
    assert.equal(3, pen:value(lariat.ones(2)))
  end)

  it("has parameters of the kind that they are", function()
    assert.equal("bh", P.slope().sequence)
    assert.equal("integer", math.type(P.trend_filter { order = 2 }.order))
    assert.is_nil(P.entropy():describe()[1].on)
    assert.equal("activation", P.activation_l1():describe()[1].on)
  end)
end)

describe("an optimiser", function()
  it("shows strengths that took the place of its penalty's", function()
    local w = lariat.tensor({ 1 }, { requires_grad = true })
    local opt = lariat.optim.sgd({ w }, { lr = 1, penalty = P.l1(0.1) + P.l2(0.2) })
    assert.is_nil(tostring(opt):find "in force")
    opt:set_lambda("l2", 3)
    assert.is_truthy(tostring(opt):find("\nin force: l2 = 3$"))
    opt:set_lambda("l1", 0)
    assert.is_truthy(tostring(opt):find("\nin force: l1 = 0, l2 = 3$"))
  end)
end)

describe("a penalty in Lua", function()
  it("shows its parameters", function()
    local pen = P.new {
      name = "mine", eps = 0.25, kind = "soft", flag = true, centre = lariat.ones(2, 3),
      helper = print, value = function(_, w) return w:sum() end, lambda = 2,
    }
    assert.equal("2 mine(w; centre = (2, 3), eps = 0.25, flag = true, kind = soft) on weights",
      (tostring(pen):gsub(" +%[.*", "")))
    assert.equal(0.25, pen.eps)
    assert.equal("soft", pen:describe()[1].spec.kind)
    assert.equal("3 mine(w; centre = (2, 3), eps = 1, flag = true, kind = soft) on weights",
      (tostring(1.5 * pen { eps = 1 }):gsub(" +%[.*", "")))
  end)

  it("acts by its gradient where it is told to, though it has a prox", function()
    local function soft(more)
      local spec = {
        value = function(_, w) return w:abs():sum() end,
        prox = function(_, v, step) return v:sign() * (v:abs() - step):clamp(0, math.huge) end,
      }
      for k, v in pairs(more) do spec[k] = v end
      return P.new(spec)
    end
    assert.equal("gradient", soft { mode = "subgradient" }:describe()[1].acts)
    assert.equal("prox", soft { mode = "proximal" }:describe()[1].acts)
    local w = lariat.tensor({ 0.1 }, { dtype = "float64", requires_grad = true })
    lariat.optim.sgd({ w }, { lr = 1, penalty = soft { mode = "subgradient" } }):step()
    near.check(w:detach(), { -0.9 }, { rel = 1e-12 })
  end)
end)
