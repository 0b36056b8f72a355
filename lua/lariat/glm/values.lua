--- Reading what users give: numbers, vectors, lists, as float64 tensors of the right length.
-- @module lariat.glm.values

local core = require "lariat.core"
local raise = require "lariat.glm.fail".raise

local values = {}

local function shape_text(t) return "(" .. table.concat(t.shape, ", ") .. ")" end
values.shape_text = shape_text

--- A tensor from a tensor or a (nested) list.
-- @tparam string what  its name, for messages
-- @param given  a tensor, or a list
-- @treturn Tensor
-- @usage print(require "lariat.glm.values".tensor("y", { 1, 2 }))
function values.tensor(what, given)
  if core.is_tensor(given) then return given:detach() end
  if type(given) ~= "table" then
    raise("%s must be a tensor or a list, not a %s", what, type(given))
  end
  local ok, made = pcall(core.tensor, given, { dtype = "float64" })
  if not ok then raise("%s: %s", what, (made:gsub("^.-:%d+: ", ""))) end
  return made
end

-- Where a vector first is not as it should be.
function values.first_row(bad)
  for i, b in ipairs(bad:reshape(-1):totable()) do
    if b == true or b == 1 then return i end
  end
end

local function finite(what, v)
  if not v:isfinite():all():item() then
    local i = values.first_row(v:isfinite():eq(false))
    raise("%s is %s in row %d; it must be finite", what,
      v[i] ~= v[i] and "NaN" or v[i] > 0 and "infinity" or "-infinity", i)
  end
  return v
end

--- A float64 vector of n numbers; (n, 1) and lists will do.
-- @tparam string what  its name, for messages
-- @param given  a tensor or a list
-- @tparam integer n  how many there must be
-- @tparam[opt] string of  what n counts
-- @treturn Tensor float64 (n)
-- @usage print(require "lariat.glm.values".vector("weights", { 1, 2 }, 2))
function values.vector(what, given, n, of)
  local t = values.tensor(what, given)
  if t.numel ~= n or t.ndim > 1 and t.shape[1] ~= n then
    raise("%s is %s; x has %d %s", what, shape_text(t), n, of or "rows")
  end
  return t:double():reshape(n)
end

--- The same, and every one finite.
-- @tparam string what
-- @param given
-- @tparam integer n
-- @treturn Tensor float64 (n)
-- @usage print(require "lariat.glm.values".numbers("y", { 1, 2 }, 2))
function values.numbers(what, given, n)
  return finite(what, values.vector(what, given, n))
end

--- A finite float64 matrix of n rows.
-- @tparam string what
-- @param given
-- @tparam integer n
-- @treturn Tensor float64 (n, k)
-- @usage print(require "lariat.glm.values".matrix("y", { { 1, 2 }, { 3, 4 } }, 2))
function values.matrix(what, given, n)
  local t = values.tensor(what, given)
  if t.ndim ~= 2 or t.shape[1] ~= n then
    raise("%s is %s; (%d, k) is needed", what, shape_text(t), n)
  end
  t = t:double():contiguous()
  local ok = t:isfinite():all(2)
  if not ok:all():item() then
    raise("%s is not finite in row %d", what, values.first_row(ok:eq(false)))
  end
  return t
end

--- Weights: n numbers, none negative, not all 0.
-- @param given  a tensor or a list, or nil
-- @tparam integer n
-- @treturn ?Tensor float64 (n)
-- @usage print(require "lariat.glm.values".weights({ 1, 0 }, 2))
function values.weights(given, n)
  if given == nil then return nil end
  local w = values.numbers("weights", given, n)
  if n > 0 and w:min():item() < 0 then
    local i = values.first_row(w:lt(0))
    raise("weights: row %d has %g; none may be negative", i, w[i])
  elseif n > 0 and w:max():item() == 0 then
    raise "weights are all 0; no row is left"
  end
  return w
end

--- A number for every column, or one for each.
-- @tparam string what
-- @param given  a number, a tensor or a list, or nil
-- @tparam integer p
-- @treturn ?Tensor float64 (p)
-- @usage print(require "lariat.glm.values".columns("lower", 0, 3))
function values.columns(what, given, p)
  if given == nil then return nil end
  if type(given) == "number" then given = core.full({ p }, given, { dtype = "float64" }) end
  return values.vector(what, given, p, "columns")
end

--- Lambdas: numbers that fall, none negative.
-- @param given  a number, a list or a tensor, or nil
-- @treturn ?Tensor float64
-- @usage print(require "lariat.glm.values".lambdas { 1, 0.1 })
function values.lambdas(given)
  if given == nil then return nil end
  if type(given) == "number" then given = { given } end
  local t = values.tensor("lambda", given):double():reshape(-1)
  local list = t:totable()
  if #list == 0 then raise "lambda is empty; give a number, or several that fall" end
  for k, l in ipairs(list) do
    if not (l >= 0 and l < math.huge) then
      raise("lambda[%d] = %s; it must be finite and not negative", k, l)
    elseif k > 1 and l > list[k - 1] then
      raise("lambda rises from %g to %g at position %d; give it falling, so that each fit "
        .. "starts from a sparser one", list[k - 1], l, k)
    end
  end
  return t
end

return values
