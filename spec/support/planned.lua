--- Compiled functions against the functions themselves, bit for bit.
-- @module spec.support.planned

local assert = require "luassert"
local lariat = require "lariat"

local core = lariat.core
local planned = {}

--- All bits of a tensor, its dtype and shape.
-- @usage assert.equal(planned.bytes(x), planned.bytes(y))
function planned.bytes(x)
  if x == nil then return "nil" end
  local out = { x.dtype, table.concat(x.shape, ",") }
  local flat = x:detach():to("float64"):reshape(-1)
  for k = 1, flat.numel do out[#out + 1] = string.pack("d", flat[k]) end
  return table.concat(out, "|")
end

--- Results of fn(xs), then the gradients of their sum by the inputs that ask for them,
-- as one string.
-- @usage local before = planned.outcome(fn, { x })
function planned.outcome(fn, xs)
  for _, x in ipairs(xs) do x.grad = nil end
  local y, total = table.pack(fn(table.unpack(xs))), nil
  local out = {}
  for _, v in ipairs(y) do
    out[#out + 1] = planned.bytes(v)
    if v.requires_grad then
      local part = (v * 1.5):sum()
      total = total and total + part or part
    end
  end
  if total then
    total:backward()
    for _, x in ipairs(xs) do out[#out + 1] = planned.bytes(x.grad) end
  end
  return table.concat(out, "#")
end

--- Calls of a compiled function on inputs that change from call to call, against the function,
-- derivatives included. Returns the compiled function.
-- @usage planned.check(function(x) return x:exp() end, function(k) return { inputs(k) } end)
function planned.check(fn, make, calls)
  local f = lariat.compile(fn)
  for k = 1, calls or 5 do
    lariat.seed(k)
    local expected = planned.outcome(fn, make(k))
    local at = { core.stream "sample", core.stream "dropout" }
    lariat.seed(k)
    assert.equal(expected, planned.outcome(f, make(k)), "call " .. k)
    assert.same(at, { core.stream "sample", core.stream "dropout" })
  end
  assert.is_true(#f:plans() > 0, "no plan was made")
  return f
end

return planned
