--- What `lariat.fit` takes as data: whole tensors, or batches as they come.
-- @module lariat.train.data

local core = require "lariat.core"
local fail = require "lariat.train.fail"
local is_callable = require "lariat.train.callable"

local function tensor(what, value, dtype)
  if value == nil then return nil end
  if not core.is_tensor(value) then
    if type(value) ~= "table" then fail("%s must be a tensor, not a %s", what, type(value)) end
    value = core.tensor(value)
  end
  value = value:detach()
  local other = dtype and value.dtype ~= dtype and value.dtype:match "^float"
  return other and value:to(dtype) or value
end

local function rows_agree(what, d)
  for _, key in ipairs { "y", "weight" } do
    local t = d[key]
    if t and (t.ndim == 0 or #t ~= #d.x) then
      fail("%s%s has %s rows, %sx has %d", what, key, t.ndim > 0 and #t or "no", what, #d.x)
    end
  end
end

-- {x=, y=, weight=} or a data set, as tensors of the model's dtype.
local function whole(what, data, dtype)
  if type(data) ~= "table" or data.x == nil then
    fail("%s must be {x=, y=}, a data set or a function(epoch), not a %s", what, type(data))
  end
  local d = {
    x = tensor(what .. ".x", data.x, dtype), y = tensor(what .. ".y", data.y, dtype),
    weight = tensor(what .. ".weight", data.weight, dtype),
  }
  if d.x.ndim == 0 then fail("%s.x is a scalar; it has no rows", what) end
  if d.weight and d.weight.ndim ~= 1 then fail("%s.weight must have one dimension", what) end
  rows_agree(what .. ".", d)
  return d
end

-- Batches from a Lua iterator: `begin` and `next` for the loop.
local function stream(config, make, dtype)
  local iterator, invariant, control
  function config.begin(epoch)
    iterator, invariant, control = make(epoch)
    if not is_callable(iterator) then
      fail("the data function gave a %s for epoch %d, not an iterator", type(iterator), epoch)
    end
  end
  function config.next()
    local a, b, c = iterator(invariant, control)
    control = a
    if a == nil then return nil end
    if type(a) == "table" and not core.is_tensor(a) then a, b, c = a.x, a.y, a.weight end
    local d = whole("batch", { x = a, y = b, weight = c }, dtype)
    return d.x, d.y, d.weight
  end
end

-- A fraction of the rows held out, shuffled by the seed.
local function hold_out(d, share, seed)
  if not (share > 0 and share < 1) then
    fail("validation = %s must be a data set or a share of the rows in (0, 1)", share)
  end
  local n = #d.x
  local held = math.max(1, math.floor(n * share + 0.5))
  if held >= n then fail("validation = %s leaves nothing of %d rows to train on", share, n) end
  local key, at = core.stream("sample")
  if seed then core.seed_stream("sample", seed) end
  local order = core.randperm(n)
  core.stream("sample", key, at)
  local function pick(from, to)
    local ids, out = order[{ { from, to } }], {}
    for name, t in pairs(d) do out[name] = t[ids] end
    return out
  end
  return pick(held + 1, n), pick(1, held)
end

--- Reads `data` and `opts.validation` into the loop's configuration.
-- @tparam table config  gets x, y, weight, val_x ...; or begin and next
-- @param data  `{x=, y=[, weight=]}`, a data set, or a function(epoch)
-- @tparam table opts  validation, seed
-- @tparam string dtype  of the model; floats are brought to it
-- @tparam table state  gets val_y
-- @raise where data is none of these, or rows do not agree
-- @usage local read = require "lariat.train.data"
local function read(config, data, opts, dtype, state)
  local d
  if is_callable(data) then stream(config, data, dtype)
  else d = whole("data", data, dtype) end
  local v = opts.validation
  if type(v) == "number" then
    if not d then fail("validation = %s needs whole data, not a function", v) end
    d, v = hold_out(d, v, opts.seed)
  elseif v ~= nil then
    v = whole("validation", v, dtype)
  end
  if d then config.x, config.y, config.weight = d.x, d.y, d.weight end
  if v then
    config.val_x, config.val_y, config.val_weight = v.x, v.y, v.weight
    state.val_y = v.y
  end
end

return read
