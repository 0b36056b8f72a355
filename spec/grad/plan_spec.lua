-- Compiled functions: what a plan gives is what the function gives, bit for bit.
local lariat = require "lariat"
local op_cases = dofile "spec/op/cases.lua"
local layer_cases = dofile "spec/nn/cases.lua"
local loss_cases = dofile "spec/loss/cases.lua"

local planned = require "spec.support.planned"

local core, nn = lariat.core, lariat.nn
local bytes, check, outcome = planned.bytes, planned.check, planned.outcome

local function fails(what, fn, ...)
  local ok, why = pcall(fn, ...)
  assert.is_false(ok, "no error")
  assert.is_truthy(tostring(why):find(what, 1, true), tostring(why))
end

-- Ops whose results depend on elements in a way that no plan can follow.
local by_value = { masked_select = true, one_hot = true, quantile = true }

local function op_inputs(case, dtype)
  return function(k)
    local xs = {}
    for i, x in ipairs(case.inputs) do
      xs[i] = (lariat.tensor(x, { dtype = "float64" }) * (1 - 0.01 * k)):to(dtype)
      if not case.values then xs[i]:requires_grad_() end
    end
    return xs
  end
end

describe("a plan gives the bits of every op:", function()
  for _, op in ipairs(core.ops()) do
    for k, case in ipairs(op_cases.of[op.name] or {}) do
      it(op.name .. " (" .. k .. ")", function()
        for _, dtype in ipairs { "float64", "float32" } do
          local ok, why = pcall(check, case.fn, op_inputs(case, dtype))
          if not ok and by_value[op.name] then
            assert.is_truthy(tostring(why):find("dynamic = true", 1, true), why)
          else
            assert.is_true(ok, tostring(why))
          end
        end
      end)
    end
  end
end)

describe("a plan gives the bits of every layer:", function()
  for name, list in pairs(layer_cases) do
    for k, case in ipairs(list) do
      for _, mode in ipairs { "train", "eval" } do
        it(("%s (%d), %s"):format(name, k, mode), function()
          local function build()
            lariat.seed(7)
            local net = load("local nn = ...; return " .. case[1])(nn)
            return net[mode](net)
          end
          local one, two = build(), build()
          local f = lariat.compile(function(x) return two(x) end)
          for call = 1, 5 do
            lariat.seed(call)
            local x = type(case[2]) == "function" and case[2]()
              or lariat.randn(table.unpack(case[2]))
            local float = x.dtype ~= "int64"
            local a, b = x:clone(), x:clone()
            for _, net in ipairs { one, two } do
              for _, p in net:parameters() do p.grad = nil end
            end
            if float then a:requires_grad_(); b:requires_grad_() end
            lariat.seed(call + 50)
            local expected = outcome(one, { a })
            lariat.seed(call + 50)
            assert.equal(expected, outcome(f, { b }))
            for which, v in one:buffers() do
              assert.equal(bytes(v), bytes(two:buffer(which)), which)
            end
            for which, p in one:parameters() do
              assert.equal(bytes(p.grad), bytes(two:parameter(which).grad), which)
            end
          end
          assert.equal(1, #f:plans())
        end)
      end
    end
  end
end)

describe("a plan gives the bits of every loss:", function()
  for name, list in pairs(loss_cases.of) do
    for k, case in ipairs(list) do
      it(("%s (%d)"):format(name, k), function()
        check(function(p, y) return lariat.loss[name](p, y, case[2]) end, function(call)
          lariat.seed(call)
          local p, y = case[1](6)
          return { p:detach():requires_grad_(), y }
        end)
      end)
    end
  end
end)

-- Random programs -------------------------------------------------------------------------

local unary = { "tanh", "sigmoid", "relu", "abs", "square", "neg", "softplus", "exp", "sin" }
local binary = { "add", "sub", "mul", "maximum" }
local shape_of = {
  function(x) return x:t() end,
  function(x) return x:sum(1, { keepdim = true }) end,
  function(x) return x:reshape(-1):reshape(x.shape) end,
  function(x) return x:narrow(1, 1, math.max(1, #x - 1)) end,
  function(x) return x:mean() end,
  function(x) return x:softmax(-1) end,
  function(x) return x * x:detach():clone():mul_(0.5):add_(1) end,
}
shape_of[#shape_of + 1] = function(x) return x * lariat.rand(x.shape, { dtype = x.dtype }) end

local function fit_together(a, b)
  return pcall(function() return a + b end) and #a.shape > 0 and #b.shape > 0
end

-- A list of steps that an interpreter in Lua follows: the same each time.
local function program(seed)
  local state = seed
  local function pick(n)
    state = (state * 1103515245 + 12345) % 2147483648
    return (state >> 8) % n + 1
  end
  return function(a, b, c)
    state = seed
    local pool = { a, b, c }
    for _ = 1, 4 + pick(12) do
      local x, kind = pool[pick(#pool)], pick(10)
      local y
      if kind <= 4 then
        y = x[unary[pick(#unary)]](x * 0.5)
      elseif kind <= 7 then
        local other = pool[pick(#pool)]
        y = fit_together(x, other) and x[binary[pick(#binary)]](x, other) or x - 0.25
      elseif kind == 8 and x.ndim == 2 then
        y = x:matmul(x:t()) / 4
      elseif x.ndim == 2 then
        y = shape_of[pick(#shape_of)](x)
      else
        y = x:mul(1.25)
      end
      pool[#pool + 1] = y
    end
    local sum = pool[#pool]:sum()
    for k = 4, #pool - 1 do sum = sum + pool[k]:mean() end
    return sum, pool[#pool]
  end
end

describe("a plan gives the bits of random programs:", function()
  for seed = 1, 100 do
    it("program " .. seed, function()
      local fn = program(seed)
      check(function(a, b, c) return fn(a, b, c) end, function(k)
        lariat.seed(1000 * seed + k)
        local dtype = { dtype = seed % 2 == 0 and "float64" or "float32" }
        local a, b, c = lariat.randn(4, 3, dtype), lariat.randn(4, 3, dtype),
          lariat.randn(3, dtype)
        if seed % 3 > 0 then a:requires_grad_(); c:requires_grad_() end
        return { a, b, c }
      end)
    end)
  end
end)

-- Calling ---------------------------------------------------------------------------------

describe("a compiled function", function()
  local function plus(x) return (x * 2 + 1):tanh() end

  it("has a plan for each shape, dtype and number", function()
    local f = lariat.compile(function(x, k) return x * k end)
    for _ = 1, 3 do
      assert.equal(bytes(lariat.ones(3) * 2), bytes(f(lariat.ones(3), 2)))
      assert.equal(bytes(lariat.ones(3) * 5), bytes(f(lariat.ones(3), 5)))
      assert.equal(bytes(lariat.ones(2, 2) * 2), bytes(f(lariat.ones(2, 2), 2)))
      assert.equal(bytes(lariat.ones(3, { dtype = "float64" })),
        bytes(f(lariat.ones(3, { dtype = "float64" }), 1)))
    end
    assert.equal(4, #f:plans())
  end)

  it("takes inputs of any strides, and tensors that it captured where they lie", function()
    local w = lariat.randn(3, 4)
    local f = lariat.compile(function(x) return x:matmul(w) end)
    for k = 1, 5 do
      local x = lariat.randn(3, 2):t()
      assert.equal(bytes(x:matmul(w)), bytes(f(x)))
      if k > 2 then w:add_(1) end
    end
    w:requires_grad_()
    for _ = 1, 4 do
      lariat.no_grad(function() w:mul_(0.9) end)
      local x = lariat.randn(3, 2):t()
      assert.equal(bytes(x:matmul(w)), bytes(f(x)))
    end
  end)

  it("sees a number that it captured change", function()
    local scale, settings = 2, { shift = 1 }
    local f = lariat.compile(function(x) return x * scale + settings.shift end)
    for k = 1, 12 do
      if k == 5 then scale = 3 end
      if k == 9 then settings.shift = -1 end
      local x = lariat.randn(4)
      assert.equal(bytes(x * scale + settings.shift), bytes(f(x)))
    end
  end)

  it("gives results that later calls leave alone", function()
    local f = lariat.compile(plus)
    local kept = {}
    for k = 1, 6 do kept[k] = f(lariat.full({ 3 }, k / 10)) end
    for k = 1, 6 do assert.equal(bytes(plus(lariat.full({ 3 }, k / 10))), bytes(kept[k])) end
  end)

  it("gives results that are the caller's, from the first call on", function()
    local own = lariat.ones(2, 2)
    local f = lariat.compile(function(x) return x, x[1], own, x + own end)
    for _ = 1, 5 do
      local x = lariat.full({ 2, 2 }, 3)
      for _, y in ipairs { f(x) } do y:fill_(7) end
      assert.same({ { 3, 3 }, { 3, 3 } }, x:totable())
      assert.same({ { 1, 1 }, { 1, 1 } }, own:totable())
    end
  end)

  it("can be differentiated after other calls, with the noise it had", function()
    local function noisy(x) return x * lariat.rand(x.shape):square() end
    local f = lariat.compile(noisy)
    for _ = 1, 3 do f(lariat.randn(3):requires_grad_()) end
    lariat.seed(5)
    local a, b = lariat.randn(3):requires_grad_(), lariat.randn(3):requires_grad_()
    lariat.seed(6)
    local y = f(a):sum() + f(b):mul(3):sum()
    y:backward()
    lariat.seed(6)
    local c, d = a:detach():requires_grad_(), b:detach():requires_grad_()
    local z = noisy(c):sum() + noisy(d):mul(3):sum()
    z:backward()
    assert.equal(bytes(z), bytes(y))
    assert.equal(bytes(c.grad), bytes(a.grad))
    assert.equal(bytes(d.grad), bytes(b.grad))
  end)

  it("reaches the history of its inputs", function()
    local f = lariat.compile(plus)
    for _ = 1, 4 do
      local x = lariat.randn(3):requires_grad_()
      local y = x:detach():requires_grad_()
      f(x:exp()):sum():backward()
      plus(y:exp()):sum():backward()
      assert.equal(bytes(y.grad), bytes(x.grad))
    end
  end)

  it("may be called in a function that is compiled, and may call itself", function()
    local inner = lariat.compile(plus)
    check(function(x) return inner(inner(x)):sum() end, function()
      return { lariat.randn(3):requires_grad_() }
    end)
  end)

  it("has no second derivative, and says so", function()
    local f = lariat.compile(function(x) return (x ^ 3):sum() end)
    local x = lariat.randn(3):requires_grad_()
    for _ = 1, 3 do f(x) end
    fails("one derivative", function()
      lariat.grad(f(x), { x }, { create_graph = true })
    end)
  end)
end)

describe("a plan", function()
  it("leaves out what nobody needs and computes constants once", function()
    local f = lariat.compile(function(x)
      local unused = x:exp():log()
      assert(unused.numel == 3)
      local constant = (lariat.ones(3) * 2):sqrt()
      return x * constant
    end)
    for _ = 1, 3 do f(lariat.randn(3)) end
    assert.equal(1, #f:plans()[1])
  end)

  it("runs elementwise kernels in a row as one, on rows of any length", function()
    for _, n in ipairs { 1, 63, 511, 512, 513, 5000, 40000, 700001 } do
      for _, dtype in ipairs { "float32", "float64" } do
        local f = check(function(x, y, s)
          local mask = x:gt(y)
          local z = lariat.where(mask, (x * s + y):tanh(), x / (y:abs() + s))
          return ((z * 2):exp() - z:sigmoid() * 3 + y:square()):sum()
        end, function(k)
          lariat.seed(n + k)
          local o = { dtype = dtype }
          return {
            lariat.randn(n, o):requires_grad_(), lariat.randn(n, o):requires_grad_(),
            lariat.rand(o) + 0.5,
          }
        end, n > 9000 and 3 or 4)
        assert.is_true(#f:plans()[1] < 20, #f:plans()[1])
      end
    end
  end)

  it("does what follows a product while the product is written", function()
    for _, name in ipairs { "relu", "sigmoid", "tanh" } do
      for _, dtype in ipairs { "float32", "float64" } do
        for _, sizes in ipairs { { 3, 4, 5 }, { 40, 33, 1030 }, { 2, 7, 1 } } do
          local layer = nn.linear(sizes[2], sizes[3]):to(dtype)
          local f = check(function(x)
            local y = layer(x)
            return y[name](y) * 2
          end, function()
            local x = lariat.randn(sizes[1], sizes[2], { dtype = dtype })
            return { x:requires_grad_() }
          end)
          assert.is_truthy(f:plans()[1][1].name:find("^linear %+ " .. name), name)
        end
      end
    end
  end)

  it("tosses coins within a row, as many as the stream gives elsewhere", function()
    local drop = nn.dropout(0.3)
    local function masked(x) return drop(drop(x:tanh()) * 2 + 1) end
    for _, dtype in ipairs { "float32", "float64" } do
      for _, n in ipairs { 1, 3, 64, 511, 513, 4097, 70001 } do
        local f = check(masked, function()
          return { lariat.randn(n, { dtype = dtype, requires_grad = true }) }
        end)
        assert.is_truthy(f:plans()[1][1].name:find "^tanh %+ draw coins %+ .*draw coins")
      end
    end
  end)

  it("keeps what a chain has between its kernels out of memory", function()
    local f = lariat.compile(function(x)
      for _ = 1, 12 do x = (x * 1.01):tanh() end
      return x
    end)
    for _ = 1, 3 do f(lariat.ones(100000)) end
    local plan = f:plans()[1]
    assert.equal(1, #plan)
    assert.is_true(plan.bytes < 410000, plan.bytes)
    assert.is_true(plan[1].bytes < 820000, plan[1].bytes)
    assert.is_truthy(plan[1].name:find("mul + tanh + mul", 1, true))
  end)

  it("puts temporaries in each other's place", function()
    local f = lariat.compile(function(x)
      for _ = 1, 20 do x = x:matmul(x) end
      return x
    end)
    for _ = 1, 3 do f(lariat.eye(64)) end
    assert.is_true(f:plans()[1].bytes <= 4 * 64 * 64 * 4)
  end)

  it("allocates nothing when it runs", function()
    local f = lariat.compile(function(x) return x:t():contiguous():exp():sum(1), x:std() end)
    local x, before = lariat.randn(20, 30), nil
    for k = 1, 40 do
      if k == 20 then before = core.mem_count() end
      f(x)
      collectgarbage()
    end
    assert.equal(before, core.mem_count())
  end)

  it("lists its kernels, with their times", function()
    local f = lariat.compile(function(x) return x:matmul(x):sum() end)
    for _ = 1, 3 do f(lariat.eye(3)) end
    f:measure(true)
    for _ = 1, 7 do f(lariat.eye(3)) end
    local kernels = f:plans()[1]
    assert.equal("matmul", kernels[1].name)
    assert.equal("(3, 3)", kernels[1].shape)
    assert.equal(3 * 36, kernels[1].bytes)
    assert.equal(7, kernels[1].runs)
    assert.is_true(kernels[1].seconds > 0)
    fails("compile: plans are printed to an open file, not to a string", f.print, f, "x")
  end)
end)

describe("what cannot be traced is refused:", function()
  local x = lariat.randn(3)
  local function refused(what, fn)
    local f = lariat.compile(fn)
    for _ = 1, 2 do fails(what, f, x) end
    local g = lariat.compile(fn, { dynamic = true })
    for _ = 1, 4 do assert.is_true(core.is_tensor(g(x))) end
  end

  it("elements read as numbers", function()
    refused("item()", function(t) return t * t:sum():item() end)
    refused("x[i]", function(t) return t * t[1] end)
    refused("at()", function(t) return t * t:at(1) end)
    refused("totable()", function(t) return t * #t:totable() end)
    refused("'<'", function(t) if t:sum() < 0 then return t end return -t end)
    refused("masked_select", function(t) return t[t:gt(-9)] end)
  end)

  it("random numbers and changes by other means than ops", function()
    refused("random", function(t) return t * lariat.randint(1, 6, { 3 }):float() end)
    refused("in place", function(t)
      local y = t:clone()
      y[1] = 3
      return y * 1
    end)
  end)

  it("gradients left outside", function()
    local w = lariat.randn(3):requires_grad_()
    fails("backward()", lariat.compile(function(t)
      (t * w):sum():backward()
      return t * 1
    end), x)
  end)

  it("a function that does something else each time", function()
    local count = setmetatable({}, { __index = function() return math.random() end })
    local f = lariat.compile(function(t) return t * count.next end)
    fails("the second time", function() for _ = 1, 5 do f(x) end end)
  end)

  it("arguments and results that are no tensors", function()
    fails("argument 1 is a table", lariat.compile(function(t) return t end), {})
    local two = lariat.compile(function(t) return t, 1 end)
    fails("result 2 of the function is a number", two, x)
    fails("returned 0 results", lariat.compile(function() end), x)
    fails("must be a function", lariat.compile, 3)
    fails("did you mean 'dynamic'", lariat.compile, print, { dynmic = true })
  end)

  it("errors of the function, as they are, and then nothing is traced any more", function()
    local err = { "mine" }
    local bad = true
    local f = lariat.compile(function(t)
      if bad then error(err) end
      return t * 2
    end)
    local ok, why = pcall(f, x)
    assert.is_false(ok)
    assert.equal(err, why)
    assert.is_number(x:sum():item()) -- not traced
    bad = false
    for _ = 1, 4 do assert.equal(bytes(x * 2), bytes(f(x))) end
    local g = lariat.compile(function(t) return t:matmul(lariat.ones(2, 2)) end)
    fails("plan_spec.lua", g, x)
  end)
end)

describe("failing allocations", function()
  it("leave a compiled function whole", function()
    local w = lariat.randn(3):requires_grad_()
    local function fn(t) return (t * w):tanh():sum() end
    local x = lariat.randn(3):requires_grad_()
    local expected = bytes(fn(x))
    for n = 0, 400 do
      local f = lariat.compile(fn)
      core.mem_fail_after(n)
      local ok = pcall(function() for _ = 1, 4 do f(x):backward() end end)
      core.mem_fail_after(-1)
      assert.equal(expected, bytes(f(x)))
      if ok then return end
    end
    error("never succeeded")
  end)
end)
