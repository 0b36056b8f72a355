--- What y is for each family, as the core wants it; and how predictions are told in its terms.
-- @module lariat.glm.response

local core = require "lariat.core"
local values = require "lariat.glm.values"
local raise = require "lariat.glm.fail".raise

local response = {}

local readers = {}

function readers.number(q, y)
  y = values.tensor("y", y)
  if y.ndim == 2 and y.shape[2] > 1 then
    raise("y is %s; several responses at once are family 'mgaussian'", values.shape_text(y))
  end
  return values.numbers("y", y, q.n)
end

function readers.matrix(q, y)
  local t = values.matrix("y", y, q.n)
  q.k = t.shape[2]
  return t
end

local function one_class(what)
  raise("y is of one class, %s in every row; there is nothing to tell apart", what)
end

-- 0 and 1 from two values of any kind, which predictions of type "class" return.
local function two(q, y)
  local t = values.tensor("y", y)
  local v = values.numbers("y", t, q.n)
  local lo, hi = v:min():item(), v:max():item()
  if lo == hi then one_class(("%g"):format(lo)) end
  local is_hi = v:eq(hi)
  if not is_hi:logical_or(v:eq(lo)):all():item() then
    if t.dtype:find "^float" and lo >= 0 and hi <= 1 then
      q.labels = { 0, 1 }
      return v
    end
    raise("y has more than two values, from %g to %g; family '%s' takes two (%s)", lo, hi,
      q.family, "'multinomial' any number of classes")
  end
  q.labels = { lo, hi }
  q.label_dtype = t.dtype == "bool" and "int64" or t.dtype
  return is_hi:double()
end

readers.two = function(q, y)
  if q.n == 0 then raise "x has no rows" end
  return two(q, y)
end

-- The same as 1 and 2.
function readers.sides(q, y)
  local t = readers.two(q, y)
  if not t:eq(0):logical_or(t:eq(1)):all():item() then
    raise("y holds shares; family '%s' takes two labels", q.family)
  end
  return t + 1
end

-- How many classes: the greatest label, or as many as have names.
local function class_count(q, ids)
  local most, named = ids:max():item(), q.classes and #q.classes
  if named and named < most then
    raise("classes: %d names; y goes up to %d", named, most)
  elseif most > q.n then
    raise("y goes up to %d in %d rows; classes are 1..K, and each has a row", most, q.n)
  end
  return named or most
end

function readers.classes(q, y)
  local v = values.numbers("y", y, q.n)
  local ids = v:long()
  if q.n == 0 then raise "x has no rows" end
  if ids:double():ne(v):any():item() or ids:min():item() < 1 then
    local i = values.first_row(ids:double():ne(v):logical_or(ids:lt(1)))
    raise("y is %g in row %d; classes are whole numbers 1..K", v[i], i)
  end
  q.k = class_count(q, ids)
  local counts = core.class_counts(ids, q.k)
  for c, rows in ipairs(counts) do
    if rows == q.n then one_class(q.classes and q.classes[c] or ("class " .. c)) end
    if rows == 0 then raise("class %d of %d has no row", c, q.k) end
  end
  q.labels = true
  return v
end

-- Times and events: y and status, y as two columns, or { time =, status = }.
function readers.time(q, y, given)
  local status = given.status
  if type(y) == "table" and (y.time or y.status) then y, status = y.time, y.status or status end
  if status == nil then
    local t = values.tensor("y", y)
    if t.ndim ~= 2 or t.shape[2] ~= 2 then
      raise("cox: y is %s; give times as y and status = 1 for events, 0 for censored rows, or "
        .. "both as two columns", values.shape_text(t))
    end
    y, status = t[{ {}, 1 }], t[{ {}, 2 }]
  end
  q.ask.status = values.numbers("status", status, q.n)
  return values.numbers("y", y, q.n)
end

-- How y is read; numbers where it is not said.
local KIND = {
  binomial = "two", hinge = "sides", multinomial = "classes", cox = "time",
  mgaussian = "matrix",
}

--- Does the family tell classes apart?
-- @local
function response.is_classes(family)
  local kind = KIND[family]
  return kind == "two" or kind == "sides" or kind == "classes"
end

--- Reads y into the question.
-- @local
function response.read(q, y, given)
  if y == nil then raise "y is missing" end
  if given.status ~= nil and q.family ~= "cox" then
    raise("status is for family 'cox', not '%s'", q.family)
  end
  q.k = 1
  q.ask.y = readers[KIND[q.family] or "number"](q, y, given)
end

-- int64 labels 1..K for folds that spread classes evenly; nil for other families.
function response.strata(q)
  local kind = KIND[q.family]
  if kind == "two" then
    local y = q.ask.y
    return y:eq(0):logical_or(y:eq(1)):all():item() and (y + 1):long() or nil
  end
  return (kind == "sides" or kind == "classes") and q.ask.y:long() or nil
end

-- The mean, with predictors in the first dimension for the core.
local function mean_of(model, eta)
  if model.k == 1 then return core.glm_response(model.family, 1, eta:contiguous()) end
  local turned = eta:transpose(1, 2):contiguous()
  return core.glm_response(model.family, model.k, turned):transpose(1, 2):contiguous()
end

--- What is predicted from eta (n), (n, L), (n, k) or (n, k, L): "link", "response" or "class".
-- @local
function response.from(model, eta, kind)
  if kind == "link" then return eta end
  if kind == "response" then return mean_of(model, eta) end
  if kind ~= "class" then
    raise("predict: type = '%s'; there are link, response, class", tostring(kind))
  end
  if not model.labels then raise("predict: family '%s' has no classes", model.family) end
  if model.k > 1 then return eta:argmax(2) end
  local lo, hi = model.labels[1], model.labels[2]
  local dtype = model.label_dtype or "int64"
  local label = eta:gt(0):to "float64" * (hi - lo) + lo
  return label:to(dtype)
end

return response
