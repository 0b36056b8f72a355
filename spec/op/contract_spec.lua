-- The contract of every op, over the cases of spec/op/cases.lua.
local lariat = require "lariat"
local near = require "spec.support.near"
local cases = dofile "spec/op/cases.lua"

local ops = lariat.core.ops()
local core = lariat.core

local function f64(x) return lariat.tensor(x, { dtype = "float64" }) end

local function inputs_of(case, dtype)
  local xs = {}
  for k, x in ipairs(case.inputs) do xs[k] = f64(x):to(dtype or "float64") end
  return xs
end

-- The bytes of a result, so that NaN equals NaN and -0 differs from 0.
local function bytes(x)
  if type(x) ~= "userdata" then return tostring(x) end
  local out = { x.dtype, table.concat(x.shape, ",") }
  local flat = x:to("float64"):reshape(-1)
  for k = 1, flat.numel do out[#out + 1] = string.pack("d", flat[k]) end
  return table.concat(out, "|")
end

-- The same values with other strides: every second place of a larger tensor, back to front.
local function strided(x)
  local shape, cut = {}, {}
  for d, n in ipairs(x.shape) do
    shape[d] = 2 * n + 1
    cut[d] = { 2 * n, 2, -2 }
  end
  if x.ndim == 0 then return x end
  local view = lariat.full(shape, 99, { dtype = x.dtype })[cut]
  view:copy_(x)
  assert.is_false(view.numel > 1 and view:is_contiguous())
  return view
end

-- x with its first row in every row's place, seen through stride 0.
local function repeated(x)
  local shape = x.shape
  return x:select(1, 1):unsqueeze(1):expand(shape)
end

local function each(fn)
  for _, op in ipairs(ops) do
    if not op.hidden then
      for k, case in ipairs(cases.of[op.name] or {}) do
        fn(op, case, op.name .. (k > 1 and " (" .. k .. ")" or ""))
      end
    end
  end
end

describe("every op", function()
  it("has a case, a line of documentation and known letters for its arguments", function()
    for _, op in ipairs(ops) do
      assert.is_truthy(cases.of[op.name] or op.hidden and cases.hidden[op.name],
        "no case for " .. op.name)
      assert.is_truthy(#op.doc > 1 and not op.doc:find "\n", op.name)
      assert.is_truthy(op.args:find "^[xXdDis?]+$", op.name)
    end
  end)

  it("has its cases where there is an op", function()
    for name in pairs(cases.of) do
      assert.is_function(core.op[name], name)
    end
  end)
end)

describe("the derivative of an op agrees with differences, to the second order:", function()
  each(function(_, case, name)
    if case.values then return end
    it(name, function()
      local function fn(x) return case.fn(table.unpack(x)) end
      lariat.check_gradient(fn, inputs_of(case), { order = case.order or 2, tol = 3e-5 })
    end)
  end)
end)

describe("an op in float32 is near what it is in float64:", function()
  each(function(_, case, name)
    it(name, function()
      local wide, narrow = case.fn(table.unpack(inputs_of(case))),
        case.fn(table.unpack(inputs_of(case, "float32")))
      assert.equal(wide.dtype == "float64" and "float32" or wide.dtype, narrow.dtype)
      local tol = case.tol or 3e-6
      if case.exact then
        local rounded = {}
        for k, x in ipairs(inputs_of(case, "float32")) do rounded[k] = x:double() end
        assert.equal(bytes(case.fn(table.unpack(rounded)):to("float64")),
          bytes(narrow:to("float64")))
      else
        near.check(narrow, wide, { rel = tol, abs = tol, what = name })
      end
    end)
  end)
end)

describe("strides do not change a bit of an op:", function()
  each(function(_, case, name)
    it(name, function()
      for _, dtype in ipairs { "float64", "float32" } do
        local plain, odd = inputs_of(case, dtype), {}
        for k, x in ipairs(plain) do odd[k] = strided(x) end
        assert.equal(bytes(case.fn(table.unpack(plain))), bytes(case.fn(table.unpack(odd))))
        if case.rows ~= false then
          local wide, copy = {}, {}
          for k, x in ipairs(plain) do
            wide[k] = repeated(x)
            copy[k] = wide[k]:clone()
          end
          assert.equal(bytes(case.fn(table.unpack(copy))), bytes(case.fn(table.unpack(wide))))
        end
      end
    end)
  end)
end)

describe("an op in place is the op:", function()
  for _, op in ipairs(ops) do
    if op.elementwise and not op.hidden then
      it(op.name, function()
        for _, case in ipairs(cases.of[op.name]) do
          local xs = inputs_of(case)
          if op.name ~= "where" and op.name ~= "masked_fill" then
            local method = xs[1][op.name .. "_"]
            local want = xs[1][op.name](table.unpack(xs)):to("float64")
            local odd = strided(xs[1])
            assert.equal(bytes(want), bytes(method(table.unpack(inputs_of(case)))))
            xs[1] = odd
            assert.equal(bytes(want), bytes(method(table.unpack(xs))))
          end
        end
      end)
    end
  end
end)

describe("an elementwise op", function()
  for _, op in ipairs(ops) do
    if op.elementwise and not op.hidden then
      it(op.name .. " takes no elements, and one", function()
        local many = { op.name == "where" and lariat.zeros(0, 3):gt(0) or nil }
        local one = { op.name == "where" and lariat.tensor(1):gt(0) or nil }
        for _ in op.args:gmatch "x" do
          if #many < #op.args then
            many[#many + 1], one[#one + 1] = lariat.zeros(0, 3), lariat.tensor(0.5)
          end
        end
        assert.same({ 0, 3 }, core.op[op.name](table.unpack(many)).shape)
        assert.equal(0, core.op[op.name](table.unpack(one)).ndim)
      end)
    end
  end
end)

describe("an op refuses what it cannot do in one sentence:", function()
  for name, bad in pairs(cases.refused) do
    it(name, function()
      local ok, message = pcall(bad.fn)
      assert.is_false(ok)
      message = tostring(message)
      assert.is_truthy(message:find(name .. ":", 1, true), message)
      assert.is_truthy(message:find(bad.pattern), message)
      assert.is_nil(message:find "\n", message)
    end)
  end
end)

describe("a part of a derivative is applied where it should be:", function()
  for name, run in pairs(cases.hidden) do
    it(name, function()
      local seen = {}
      for _, applied in ipairs(core.trace(run)) do seen[applied] = true end
      assert.is_true(seen[name])
    end)
  end
end)

describe("every op applied is seen by an observer, unless it is made of others:", function()
  each(function(op, case, name)
    if not op.elementwise then return end
    it(name, function()
      local list = core.trace(function() case.fn(table.unpack(inputs_of(case))) end)
      local found = false
      for _, applied in ipairs(list) do found = found or applied == op.name end
      assert.is_true(found)
    end)
  end)
end)
