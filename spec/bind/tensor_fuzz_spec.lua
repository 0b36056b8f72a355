-- Every function and method of the core with arguments of every kind, right and wrong: it may
-- work or raise, and raises one sentence. Crashes are for the sanitizers to see.
local lariat = require "lariat"
local core = lariat.core

local ROUNDS = 100

-- A small generator of its own, so that a failure repeats.
local state
local function draw(n)
  state = (state * 6364136223846793005 + 1442695040888963407)
  return (state >> 33) % n + 1
end

local function junk_values()
  local int = { dtype = "int64" }
  local leaf = lariat.tensor({ { 0.5, 1.5 }, { -1, 2 } }, { requires_grad = true })
  local closed = lariat.ones(2)
  closed:close()
  return {
    lariat.ones(2, 3), lariat.ones(3), lariat.tensor(2.5), lariat.zeros(0, 3),
    lariat.ones(2, 2, 2, 2, 2, 2, 2, 2), lariat.eye(3, { dtype = "float64" }),
    lariat.tensor({ 1, 2, 3 }, int), lariat.tensor({ { 1, 2 }, { 2, 1 } }, int),
    lariat.tensor({ -1, 0, 9 }, int), lariat.tensor { true, false, true },
    lariat.full({ 2, 3 }, 0 / 0), lariat.full({ 3 }, math.huge), lariat.ones(4, 4):t(),
    lariat.ones(1):expand(2, 3), leaf, leaf * 2, closed,
    0, 1, 2, 3, -1, -2, 9, 0.5, -0.5, 1e300, math.huge, -math.huge, 0 / 0, math.maxinteger,
    math.mininteger, 2 ^ 53, true, false, "", "float64", "sum", "x\0y", ("long"):rep(20),
    {}, { 1 }, { 1, 2 }, { -1, 3 }, { 2, 2, 2, 2, 2, 2, 2, 2, 2 }, { 0.5 }, { { 1, 2 }, { 3 } },
    { lariat.ones(2), lariat.ones(2) }, { lariat.ones(2), "x" }, { keepdim = true },
    { dim = 1 }, { dtype = "int64" }, { dtype = "none" }, { [3] = 1 }, { 1, x = 2 }, { {}, 1 },
    { { 1, 2 }, 1 }, { { 2, -1 } }, { { 1, 2, 0 } }, { p = "x" }, { [true] = 1 },
    function() end, function() error "inner" end, coroutine.create(function() end), io.stdout,
  }
end

-- Sizes that one argument asks for and that a test need not allocate.
local too_large = {
  zeros = true, ones = true, full = true, eye = true, arange = true, linspace = true,
  rand = true, randn = true, randint = true, randperm = true, expand = true, tile = true,
  one_hot = true, diag = true,
}

-- These change what the other specs stand on.
local skipped = {
  mem_fail_after = true, threads = true, seed = true, default_dtype = true, mem_trim = true,
}

local function arguments(values, name)
  local args, n = {}, draw(5) - 1
  for k = 1, n do
    local v = values[draw(#values)]
    while too_large[name] and type(v) == "number" and math.abs(v) > 100 do
      v = values[draw(#values)]
    end
    if draw(12) == 1 then v = nil end
    args[k] = v
  end
  return args, n
end

local function describe_call(name, args, n)
  local out = {}
  for k = 1, n do
    out[k] = lariat.is_tensor(args[k]) and (pcall(tostring, args[k]) and tostring(args[k]))
      or tostring(args[k])
  end
  return name .. "(" .. table.concat(out, ", "):sub(1, 300) .. ")"
end

local function fuzz(name, fn, first)
  state = #name * 7919 + name:byte(1) + 31 * name:byte(-1)
  for _ = 1, ROUNDS do
    local values = junk_values()
    local args, n = arguments(values, name)
    if first then
      table.insert(args, 1, values[draw(16)])
      n = n + 1
    end
    local ok, message = pcall(fn, table.unpack(args, 1, n))
    if not ok and type(message) == "string" and not message:find "inner" then
      local call = describe_call(name, args, n)
      assert.is_nil(message:find "\n", call .. " -> " .. message)
      assert.is_truthy(#message > 8 and #message < 600, call .. " -> " .. message)
    end
  end
end

local function sorted(t)
  local names = {}
  for name in pairs(t) do names[#names + 1] = name end
  table.sort(names)
  return names
end

describe("a method with any arguments raises a sentence or works:", function()
  for _, name in ipairs(sorted(core.tensor_methods)) do
    it(name, function() fuzz(name, core.tensor_methods[name], true) end)
  end
end)

describe("a function with any arguments raises a sentence or works:", function()
  local of = {
    "tensor", "zeros", "ones", "full", "eye", "arange", "linspace", "rand", "randn", "randint",
    "randperm", "is_tensor", "grad", "no_grad", "enable_grad", "is_grad_enabled", "trace",
    "nearest", "baked",
  }
  for _, name in ipairs(of) do
    if not skipped[name] then
      it(name, function() fuzz(name, core[name], false) end)
    end
  end
  for _, name in ipairs { "hvp", "jacobian", "hessian", "check_gradient", "einsum" } do
    it(name, function() fuzz(name, lariat[name], false) end)
  end
  for _, name in ipairs(sorted(lariat.linalg)) do
    it("linalg." .. name, function() fuzz(name, lariat.linalg[name], false) end)
  end
end)

describe("an operator with any operands raises a sentence or works:", function()
  local operators = {
    add = function(a, b) return a + b end, sub = function(a, b) return a - b end,
    mul = function(a, b) return a * b end, div = function(a, b) return a / b end,
    pow = function(a, b) return a ^ b end, idiv = function(a, b) return a // b end,
    mod = function(a, b) return a % b end, unm = function(a) return -a end,
    len = function(a) return #a end, lt = function(a, b) return a < b end,
    le = function(a, b) return a <= b end, eq = function(a, b) return a == b end,
    index = function(a, b) return a[b] end,
    newindex = function(a, b, c) a[b] = c end,
    index2 = function(a, b, c) return a[{ b, c }] end,
    index3 = function(a, b, c) return a[{ { b, c } }] end,
    newindex2 = function(a, b, c) a[{ b, {} }] = c end,
    tostring = function(a) return tostring(a) end,
  }
  for _, name in ipairs(sorted(operators)) do
    it(name, function() fuzz(name, operators[name], true) end)
  end
end)

describe("after an error", function()
  it("the setting of no_grad is what it was", function()
    assert.is_true(core.is_grad_enabled())
    pcall(core.no_grad, function()
      pcall(core.enable_grad, function() error "x" end)
      assert.is_false(core.is_grad_enabled())
      error "y"
    end)
    assert.is_true(core.is_grad_enabled())
  end)
end)
