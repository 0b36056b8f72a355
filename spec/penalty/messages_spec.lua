-- Bad input: one sentence that names the penalty, the value at fault and the caller's line.
local lariat = require "lariat"

local P, C, nn = lariat.penalty, lariat.constraint, lariat.nn
local T = lariat.tensor

local function ids(list) return T(list, { dtype = "int64" }) end

local net = nn.sequential { nn.linear(4, 3), nn.relu(), nn.linear(3, 2) }
local x, y = lariat.randn(10, 4), lariat.randn(10, 2)
local w = T { 1, 2, 3 }

-- What is typed, what the sentence says.
local cases = {
  -- strengths
  { function() return P.l1(-1) end, "l1: lambda = -1.0; it must be finite and not negative" },
  { function() return P.mcp(0 / 0) end, "mcp: lambda = nan; it must be finite" },
  { function() return P.l1(math.huge) end, "l1: lambda = inf; it must be finite" },
  { function() return P.l1 { lambda = "a" } end,
    "l1: lambda must be a number or a function, not a string" },
  { function() return P.l1 { 0.1 } end,
    "l1: its table holds an item without a key; write l1(x), or key = x" },
  { function() return P.l1(w) end, "l1: expects a number or a table of options, not a tensor" },
  { function() return P.l1(0.1, 0.2) end,
    "l1: the second argument is a table of options, not a number" },
  { function() return P.l1(function() return 0 / 0 end):value(w) end,
    "penalty l1: lambda = nan" },
  { function() return -P.l1() end, "there is no difference of them" },
  { function() return P.l2() - P.l1() end, "there is no difference of them" },
  { function() return P.l1() / 0 end, "a factor of inf" },
  { function() return 1 / P.l1() end, "a number is not divided by a penalty" },
  { function() return P.l1() * P.l1() end, "multiplied by a number, not by a penalty" },
  { function() return P.l1() + P.l2 end, "added to a penalty, not to a function" },
  { function() return P.l1():lambda(3) end, "lambda() is read; another one comes of a factor" },
  { function() P.l1().lambda = 3 end, "a penalty does not change: make another" },
  -- parameters
  { function() return P.elastic_net { l1_ratio = 1.5 } end,
    "elastic_net: l1_ratio = 1.5 is outside [0, 1]" },
  { function() return P.elastic_net { l1_ratio = "x" } end,
    "elastic_net: l1_ratio = 'x' must be a number" },
  { function() return P.mcp { gamma = 0 } end, "mcp: gamma = 0 is outside (0, inf)" },
  { function() return P.mcp { gamma = 0 / 0 } end, "mcp: gamma = nan is outside (0, inf)" },
  { function() return P.scad { a = 2 } end, "scad: a = 2 is outside (2, inf)" },
  { function() return P.scad { gamma = 1.5 } end, "scad: a = 1.5 is outside (2, inf)" },
  { function() return P.group_scad { gamma = 2, by = "input" } end,
    "group_scad: gamma = 2 is outside (2, inf)" },
  { function() return P.group_mcp { gamma = -1, by = "input" } end,
    "group_mcp: gamma = -1 is outside (0, inf)" },
  { function() return P.l1 { weight = 2 } end,
    "unknown key 'weight'; did you mean 'weights'?" },
  { function() return P.trend_filter { order = 9 } end, "order = 9 is outside [0, 5]" },
  { function() return P.fused_lasso { lambda1 = -1, lambda2 = 1 } end,
    "fused_lasso: lambda1 must be a finite number, not negative" },
  { function() return P.laplacian { edges = { { 1 } } } end,
    "laplacian: edge 1 is not {i, j} or {i, j, weight}" },
  { function() return P.slope { sequence = "x" } end, "slope: sequence = 'x' must be one of" },
  { function() return C.max_norm { lambda = 1 } end, "max_norm: a constraint has no lambda" },
  { function() return C.nonnegative(2) end, "nonnegative: a constraint has no lambda" },
  { function() return C.box(1, 0) end, "box: lo = 1 is above hi = 0" },
  { function() return C.rank(1.5) end, "rank: r = 1.5 must be a whole number" },
  -- weights
  { function() return P.l1 { weights = "abc" } end,
    "l1: weights must be a tensor, a list of numbers or a number, not a string" },
  { function() return P.l1 { weights = { 1, -1 } } end, "weights: weight -1.0 at position 2" },
  { function() return P.l1 { weights = { 1, 0 / 0 } } end, "weight nan at position 2" },
  { function() return P.l1 { weights = { 1, 2 } }:value(w) end,
    "penalty l1 on 'tensor': weights: (2) cannot be expanded to (3)" },
  { function()
    return P.sparse_group_lasso { by = "all", l1_weights = { 1, 2 } }:value(w)
  end, "penalty sparse_group_lasso on 'tensor': l1_weights: (2) cannot be expanded to (3)" },
  { function() return P.group_lasso { groups = { { 1, 2 } }, weights = { 1, 2 } }:value(w) end,
    "2 weights for 1 groups" },
  -- groups
  { function() return P.group_lasso(0.1):value(net) end, "no groups are given: say by = " },
  { function() return P.group_lasso { by = "inputs" } end, "by = 'inputs' is not one of" },
  { function() return P.group_lasso { by = "input" }:value(w) end,
    "by = 'input' needs 2 dimensions; this has shape (3)" },
  { function() return P.group_lasso { groups = "input" } end,
    "group_lasso: groups must be lists of positions or an int64 tensor of ids, not a string" },
  { function() return P.group_lasso { groups = { 1, 2, 3 } } end,
    "group 1 is a number, not a list of positions (ids of groups go into an int64 tensor)" },
  { function() return P.group_lasso { groups = {} } end, "groups is an empty list" },
  { function() return P.group_lasso { groups = { { 1 }, {} } } end, "group 2 is empty" },
  { function() return P.group_lasso { groups = { { 1, 2.5 } } } end,
    "group 1 holds 2.5, not a position" },
  { function() return P.group_lasso { by = "input", groups = { { 1 } } } end,
    "give by or groups, not both" },
  { function() return P.group_lasso { groups = { { 1, 2 }, { 2, 3 } } }:value(w) end,
    "position 2 is in the groups 1 and 2" },
  { function() return P.group_mcp { groups = { { 3, 3 } } }:value(w) end,
    "position 3 is twice in group 1" },
  { function() return P.group_lasso { groups = { { 1, 9 } } }:value(w) end,
    "group 1 lists position 9 of a tensor with 3" },
  { function() return P.group_lasso { groups = T { 1, 1, 2 } } end,
    "group ids are int64, not float32" },
  { function() return P.group_linf { groups = ids { 1, 1, 5 } }:value(w) end,
    "group id 5 at position 3 is not in 0..3" },
  { function() return P.group_lasso { groups = ids { 1, 1 } }:value(w) end,
    "group ids of shape (2) do not fit a tensor of shape (3)" },
  { function() return P.tree_group { groups = { { 1, 2 }, { 2, 3 } } }:value(w) end,
    "position 2 is in the groups 1 and 2, and the second does not hold the first" },
  { function() return P.tree_group { groups = { 1, 2 } } end,
    "tree_group: group 1 is a number, not a list" },
  -- scopes
  { function() return P.l1():on("weights"):value(net) end,
    "penalty l1 on 'weights' matches no parameter; there are: 1.weight (3, 4), 1.bias (3), "
      .. "3.weight (2, 3), 3.bias (2) (kinds: weight, bias, gain)" },
  { function() return P.l1():on {} end, "on: say where" },
  { function() return P.l1():on(3) end, "on: names and kinds are strings; found a number" },
  { function() return P.activation_l1(0.1):on("7"):value(net, x) end,
    "penalty activation_l1 on '7' matches no layer; there are: 1 (linear), 2 (relu)" },
  { function() return P.entropy(0.1):on("1"):value(net, x) end,
    "penalty entropy is of the whole model and takes no scope" },
  { function() return P.l2_sp { towards = nn.linear(2, 2) }:value(net) end,
    "penalty l2_sp on '1.weight': towards has nothing of that name; it has: weight (2, 2)" },
  -- tensors
  { function() return P.l1():value(ids { 1, 2 }) end,
    "penalty l1: 'tensor' is int64; penalties act on float tensors" },
  { function() return P.group_lasso { by = "all" }:prox(ids { 1 }, 1) end, "is int64" },
  { function() return P.l1():value() end, "penalty: of what? Give a model, a tensor" },
  { function() return P.l1():prox(w, -1) end, "prox: step = -1.0; it must be above 0" },
  { function() return P.l1():prox(w, 0 / 0) end, "prox: step = nan; it must be above 0" },
  { function() return P.l1():prox(w, T { 1, 0, 1 }) end,
    "prox: step = 0 at position 2; steps must be above 0" },
  { function() return P.l1():prox(w, T { 1 }) end,
    "steps of shape (1) for a tensor of shape (3)" },
  { function() return P.spectral():prox(w, 1) end,
    "penalty spectral has no prox: it acts by its" },
  { function() return P.activation_l1():prox(w, 1) end,
    "penalty activation_l1 is of a model's forward pass, not of a tensor" },
  { function() return P.exclusive_lasso { by = "all" }:lambda_max(w) end,
    "exclusive_lasso has no lambda_max" },
  -- adaptive, and penalties in Lua
  { function() return (P.adaptive(P.l1(), {})) end, "adaptive: say from = " },
  { function() return (P.adaptive(P.l1(), { from = "x" })) end,
    "adaptive: from must be a tensor, a model or a fit, not a string" },
  { function() return (P.adaptive(P.tv1d(), { from = w })) end, "tv1d takes no weights" },
  { function() return (P.new { value = 3 }) end, "value must be a function, not a number" },
  { function() return (P.new { value = print, lambda = -1 }) end, "custom: lambda = -1.0" },
  { function() return (P.new { value = print, mode = "x" }) end, "custom: mode = 'x' must be" },
  -- training
  { function() return lariat.optim.sgd(net, { lr = 0.1, penalty = 0.1 }) end,
    "penalty: expects a penalty, such as lariat.penalty.l1(0.1), not a number" },
  { function() return lariat.optim.sgd(net, { lr = 0.1, penalty = P.l1 }) end,
    "penalty: expects a penalty, such as lariat.penalty.l1(0.1), not a function" },
  { function() return lariat.optim.sgd(net, { lr = 0.1, penalty = P.l1():on "9.*" }) end,
    "penalty l1 on '9.*' matches no parameter" },
  { function()
    return lariat.optim.sgd(net, { lr = 0.1, penalty = P.l1() }):set_lambda("l1", -1)
  end, "penalty l1: lambda = -1; it must be finite and not negative" },
}

describe("a wrong penalty", function()
  for _, case in ipairs(cases) do
    it("says: " .. case[2], function()
      local ok, why = pcall(case[1])
      assert.is_false(ok, "no error")
      why = tostring(why)
      assert.is_truthy(why:find(case[2], 1, true), why)
      assert.is_truthy(why:find("messages_spec.lua:%d+: "), why)
      assert.is_nil(why:find("\n", 1, true), why)
    end)
  end
end)

describe("a sum whose prox is not known", function()
  local pen = P.l1(0.1) + P.mcp(0.1) + P.tv1d(0.1)
  local says = "penalty: no prox of mcp + tv1d on '1.weight' is known, and mcp is not convex, "
    .. "so none can be computed by splitting; put them on different parameters with :on, or "
    .. "give mcp mode = \"subgradient\""

  local function refuses(fn, what)
    local ok, why = pcall(fn)
    assert.is_false(ok)
    assert.is_truthy(tostring(why):find(what or says, 1, true), tostring(why))
  end

  it("is refused when an optimiser is made, before anything moves", function()
    refuses(function() lariat.optim.adam(net, { penalty = pen }) end)
    refuses(function() lariat.optim.adam(net, { penalty = 0 * P.mcp() + P.tv1d() }) end)
  end)

  it("is refused by fit, and when it replaces another in a run", function()
    local data = { x = x, y = y }
    refuses(function()
      lariat.fit(net, data, { loss = "mse", penalty = pen, progress = false })
    end)
    local before = net:parameter "1.weight":detach():clone()
    refuses(function()
      lariat.fit(net, data, { loss = "mse", epochs = 2, progress = false,
        optimizer = lariat.optim.sgd { lr = 1e-30 },
        on_epoch = function(state) state.penalty = pen end })
    end)
    assert.is_true(net:parameter "1.weight":eq(before):all():item())
    local opt = lariat.optim.sgd(net, { lr = 0.1, penalty = P.l1() })
    refuses(function() opt.penalty = pen end)
    assert.equal("|w|_1 on weights", (tostring(opt.penalty):gsub(" +%[.*", "")))
  end)

  it("names the two of constraints that cannot be had together, without that advice", function()
    refuses(function() lariat.optim.sgd(net, { lr = 1, penalty = C.rank(1) + C.box(0, 1) }) end,
      "no prox of box + rank on '1.weight' is known, and rank is not convex")
    local _, why = pcall(lariat.optim.sgd, net, { lr = 1, penalty = C.rank(1) + C.unit_norm() })
    assert.is_truthy(why:find("with :on$"), why)
  end)

  it("is accepted once the advice is taken", function()
    lariat.optim.sgd(net, { lr = 0.1,
      penalty = P.mcp { lambda = 0.1, mode = "subgradient" } + P.tv1d(0.1) }):step()
    lariat.optim.sgd(net, { lr = 0.1, penalty = P.mcp(0.1):on "1.*" + P.tv1d(0.1):on "3.*" })
    assert.is_true(pen:value(net) > 0)
    assert.equal(3, #{ pen:terms(net).l1, pen:terms(net).mcp, pen:terms(net).tv1d })
  end)
end)
