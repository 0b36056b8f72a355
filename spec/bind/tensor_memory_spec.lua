-- Fail allocation 0, 1, 2 ... until success, for every constructor, method and derivative:
-- each failure is a Lua error, and nothing that was allocated on the way stays.
local lariat = require "lariat"
local core = lariat.core
local cases = dofile "spec/op/cases.lua"

local MOST = 3000 -- allocations of one job

local function live()
  collectgarbage()
  return (core.mem_live())
end

-- The job with allocation n failing: did it get by without that one?
local function attempt(job, n)
  core.mem_fail_after(n)
  local ok, message = pcall(job)
  core.mem_fail_after(-1)
  assert.is_truthy(ok or tostring(message):find "out of memory", message)
  return ok
end

-- With every allocation failing in turn; a leak is looked for once, and then where it is.
local function starve(job)
  job() -- what is made once and kept is made here
  local before, last = live(), 0
  while not attempt(job, last) do
    last = last + 1
    if last > MOST then error "more allocations than expected" end
  end
  if live() == before then return end
  for n = 0, last do
    before = live()
    attempt(job, n)
    local after = live()
    if after ~= before then
      error(("allocation %d failed: %d blocks before, %d after"):format(n, before, after))
    end
  end
  error "more blocks than before"
end

local function inputs_of(case, requires_grad)
  local xs = {}
  for k, x in ipairs(case.inputs) do
    xs[k] = lariat.tensor(x, { dtype = "float64", requires_grad = requires_grad })
  end
  return xs
end

describe("with an allocation that fails", function()
  for _, op in ipairs(core.ops()) do
    for k, case in ipairs(cases.of[op.name] or {}) do
      it(("%s (%d)"):format(op.name, k), function()
        local xs = inputs_of(case)
        starve(function() case.fn(table.unpack(xs)) end)
      end)
      if k == 1 and not case.values then
        it("the derivative of " .. op.name, function()
          local xs = inputs_of(case, true)
          starve(function()
            local y = case.fn(table.unpack(xs))
            local g = lariat.grad(y:sum(), xs, { create_graph = true })
            local s = 0
            for _, x in ipairs(g) do s = s + x:sum() end
            if s.requires_grad then lariat.grad(s, xs) end
          end)
        end)
      end
    end
  end
end)

local int = { dtype = "int64" }
local a = lariat.tensor { { 1, 2, 3 }, { 4, 5, 6 } }
local v = lariat.tensor { 1, 2, 3 }
local ids = lariat.tensor({ 2, 1 }, int)

local jobs = {
  tensor = function() return lariat.tensor { { 1, 2 }, { 3, 4 } } end,
  ["tensor from a tensor"] = function() return lariat.tensor(a, { dtype = "float64" }) end,
  zeros = function() return lariat.zeros(2, 3) end,
  ones = function() return lariat.ones { 2, 3 } end,
  full = function() return lariat.full({ 2 }, 7) end,
  eye = function() return lariat.eye(3) end,
  arange = function() return lariat.arange(1, 5) end,
  linspace = function() return lariat.linspace(0, 1, 5) end,
  rand = function() return lariat.rand(5) end,
  randn = function() return lariat.randn(5) end,
  randint = function() return lariat.randint(1, 6, { 5 }) end,
  randperm = function() return lariat.randperm(5) end,
  operators = function() return -a + a * 2 - 1 / a end,
  ["a row"] = function() return a[2] end,
  ["a range"] = function() return a[{ { 1, 2 }, 3 }] end,
  ["an index tensor"] = function() return a[ids] end,
  ["a mask"] = function() return a[a:gt(2)] end,
  ["assigning a number"] = function() a[1] = 3 end,
  ["assigning a row"] = function() a[2] = v end,
  ["assigning to a range"] = function() a[{ {}, { 1, 2 } }] = a[{ {}, { 2, 3 } }] end,
  ["assigning to a mask"] = function() a[a:gt(2)] = 4 end,
  ["assigning to indices"] = function() a[ids] = { 1, 2, 3 } end,
  ["in place"] = function() a:add_(1):mul_(2):clamp_(0, 9) end,
  ["in place, overlapping"] = function()
    local s = lariat.eye(3)
    s:add_(s:t())
  end,
  ["in place, by another op"] = function() a:softmax_(2) end,
  to = function() return a:to("float64"):long():bool() end,
  copy_ = function() a:copy_(v) end,
  detach = function() return a:detach() end,
  split = function() return a:split({ 1, 2 }, 2) end,
  chunk = function() return a:chunk(2, 2) end,
  unbind = function() return a:unbind() end,
  totable = function() return a:totable() end,
  tostring = function() return tostring(a) end,
  item = function() return v:sum():item() end,
  einsum = function() return lariat.einsum("ij,j->i", a, v) end,
  cat = function() return lariat.cat({ a, a, a, a, a, a, a, a, a, a }, 1) end,
  backward = function()
    local w = lariat.tensor({ 1, 2 }, { requires_grad = true })
    local y = (w ^ 2):sum()
    y:backward();
    (w * 2):sum():backward()
  end,
  hvp = function()
    return lariat.hvp(function(w) return (w ^ 3):sum() end, v, v)
  end,
  jacobian = function() return lariat.jacobian(function(x) return x:exp() end, v) end,
  ["linalg.norm"] = function() return lariat.linalg.norm(a, "nuc") end,
  is_tensor = function() return lariat.is_tensor(a) end,
}

describe("with an allocation that fails:", function()
  for name, job in pairs(jobs) do
    it(name, function() starve(job) end)
  end
end)

describe("a closed tensor", function()
  local function closed()
    local t = lariat.ones(2)
    t:close()
    return t
  end

  it("closes twice, and prints", function()
    local t = closed()
    t:close()
    assert.equal("closed tensor", tostring(t))
  end)

  it("is refused in one sentence by everything else", function()
    local methods = core.tensor_methods
    for name, method in pairs(methods) do
      if name ~= "close" then
        for _, args in ipairs { { closed() }, { closed(), lariat.ones(2) },
          { lariat.ones(2), closed() } } do
          local ok, message = pcall(method, table.unpack(args))
          if not ok then assert.is_nil(tostring(message):find "\n", name) end
          if rawequal(args[2], nil) then assert.is_false(ok, name) end
        end
      end
    end
    for _, fn in ipairs {
      function() return closed() + 1 end, function() return #closed() end,
      function() return closed()[1] end, function() closed()[1] = 2 end,
      function() return closed().shape end, function() closed().grad = nil end,
      function() return closed() < 1 end,
    } do
      local ok, message = pcall(fn)
      assert.is_false(ok)
      assert.is_truthy(tostring(message):find "closed", message)
    end
  end)

  it("leaves views and histories on it alone", function()
    local t = lariat.tensor({ 1, 2 }, { requires_grad = true })
    local y = t * t
    local part = y:narrow(1, 2, 1)
    y:close()
    assert.equal(4, part[1])
    part:sum():backward()
    assert.same({ 0, 4 }, t.grad:totable())
  end)
end)
