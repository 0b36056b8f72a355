-- Initialisers: their spread, their limits, their structure, their seed.

local lariat = require "lariat"
local near = require "support.near"
local nn = lariat.nn
local init = nn.init

local function fails(pattern, fn, ...)
  local ok, message = pcall(fn, ...)
  assert.is_false(ok, "no error")
  assert.is_truthy(tostring(message):find(pattern, 1, true), message)
end

local F64 = { dtype = "float64" }
local OUT, IN = 300, 400

local function fresh() return lariat.zeros(OUT, IN, F64) end

local function moments(w, std, what)
  near.check(w:mean(), 0, { abs = 4 * std / math.sqrt(w.numel), what = what .. ": mean" })
  near.check(w:std(), std, { rel = 0.02, what = what .. ": std" })
end

describe("initialisers:", function()
  before_each(function() lariat.seed(5) end)

  -- Glorot & Bengio 2010 (12, 16); He et al. 2015 (10, 15); LeCun et al. 1998.
  local spreads = {
    { "xavier_uniform", {}, math.sqrt(2 / (IN + OUT)), true },
    { "xavier_normal", { gain = 2 }, 2 * math.sqrt(2 / (IN + OUT)) },
    { "kaiming_uniform", {}, math.sqrt(2 / IN), true },
    { "kaiming_uniform", { slope = math.sqrt(5) }, math.sqrt(1 / 3 / IN), true },
    { "kaiming_normal", { mode = "fan_out" }, math.sqrt(2 / OUT) },
    { "kaiming_normal", { gain = 1 }, math.sqrt(1 / IN) },
    { "lecun_uniform", {}, math.sqrt(1 / IN), true },
    { "lecun_normal", {}, math.sqrt(1 / IN) },
    { "uniform", { lo = -1, hi = 1 }, math.sqrt(1 / 3), true },
    { "normal", { std = 0.3 }, 0.3 },
    -- the variance of a normal cut at two standard deviations: 1 - 4 phi(2) / (2 Phi(2) - 1)
    { "truncated_normal", { std = 0.5, lo = -1, hi = 1 }, 0.5 * math.sqrt(0.7737413) },
  }
  for _, case in ipairs(spreads) do
    local name, options, std, uniform = table.unpack(case)
    it(name .. " spreads as its formula says", function()
      local w = init[name](fresh(), options)
      moments(w, std, name)
      if uniform then
        local bound = math.sqrt(3) * std
        local top = w:abs():max():item()
        assert.is_true(top <= bound and top > 0.99 * bound)
      end
    end)
  end

  it("truncated_normal stays inside", function()
    local w = init.truncated_normal(fresh(), { mean = 1, std = 2, lo = 0, hi = 1.5 })
    assert.is_true(w:min():item() >= 0 and w:max():item() <= 1.5)
    fails("holds too little", init.truncated_normal, fresh(), { lo = 8, hi = 9 })
  end)

  it("kernels count their field in the fans", function()
    local w = init.kaiming_normal(lariat.zeros(64, 32, 5, 5, F64))
    moments(w, math.sqrt(2 / (32 * 25)), "kernel")
  end)

  it("orthogonal has orthonormal rows or columns", function()
    local wide = init.orthogonal(lariat.zeros(20, 50, F64), { gain = 2 })
    near.check(wide:matmul(wide:t()), near.plain(lariat.eye(20, F64) * 4), { abs = 1e-12 })
    local tall = init.orthogonal(lariat.zeros(50, 20, F64))
    near.check(tall:t():matmul(tall), near.plain(lariat.eye(20, F64)), { abs = 1e-12 })
  end)

  it("constants, identity, sparse", function()
    near.check(init.zeros(lariat.ones(2, 2)), { { 0, 0 }, { 0, 0 } })
    near.check(init.ones(lariat.zeros(2)), { 1, 1 })
    near.check(init.constant(lariat.zeros(2), { value = 3 }), { 3, 3 })
    near.check(init.constant(lariat.zeros(2), 3), { 3, 3 })
    near.check(init.eye(lariat.ones(2, 3)), { { 1, 0, 0 }, { 0, 1, 0 } })
    local w = init.sparse(fresh(), { sparsity = 0.25, std = 1 })
    near.check(w:eq(0):double():sum(1), near.plain(lariat.full({ IN }, OUT / 4)))
  end)

  it("fill views and tensors laid out otherwise", function()
    local w = lariat.zeros(4, 3)
    init.ones(w:t())
    near.check(w, near.plain(lariat.ones(4, 3)))
    init.eye(w:t())
    near.check(w, { { 1, 0, 0 }, { 0, 1, 0 }, { 0, 0, 1 }, { 0, 0, 0 } })
  end)

  it("repeat with the seed, and are the option of a layer", function()
    local a = init.normal(lariat.zeros(5))
    lariat.seed(5)
    near.check(init.normal(lariat.zeros(5)), near.plain(a))
    lariat.seed(5)
    local w = init.kaiming_normal(lariat.zeros(3, 4))
    lariat.seed(5)
    near.check(nn.linear(4, 3, { init = "kaiming_normal" }).weight, near.plain(w))
  end)

  it("give the tensor back, and work on parameters", function()
    local layer = nn.linear(2, 2)
    assert.equal(layer.weight, init.zeros(layer.weight))
    assert.is_true(layer.weight.requires_grad)
  end)

  it("the default of linear is uniform within 1/sqrt(inputs)", function()
    lariat.default_dtype "float64"
    local layer = nn.linear(IN, OUT)
    lariat.default_dtype "float32"
    moments(layer.weight:detach(), math.sqrt(1 / 3 / IN), "linear")
    assert.is_true(layer.bias:abs():max():item() <= 1 / math.sqrt(IN))
  end)

  local wrong = {
    { "xavier_normal: a tensor of shape (3) has no inputs and outputs",
      function() init.xavier_normal(lariat.zeros(3)) end },
    { "normal: unknown key 'st'; did you mean 'std'?",
      function() init.normal(lariat.zeros(3), { st = 1 }) end },
    { "normal: std = -1 is outside",
      function() init.normal(lariat.zeros(3), { std = -1 }) end },
    { "uniform: lo = 2 is above hi = 1", function() init.uniform(lariat.zeros(3), 2, 1) end },
    { "zeros: argument 2 is one too many", function() init.zeros(lariat.zeros(3), 2) end },
    { "normal: a tensor of int64 cannot be initialised",
      function() init.normal(lariat.zeros(3):long()) end },
    { "eye: a tensor of shape (3) is no matrix", function() init.eye(lariat.zeros(3)) end },
    { "mode = 'out' must be one of fan_in|fan_out",
      function() init.kaiming_normal(lariat.zeros(3, 3), { mode = "out" }) end },
  }
  for _, case in ipairs(wrong) do
    it(case[1], function() fails(case[1], case[2]) end)
  end
end)
