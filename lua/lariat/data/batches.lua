--- Data in batches.
-- @submodule lariat.data

local core = require "lariat.core"
local options = require "lariat.data.support.options"

local KNOWN = {
  "x", "y", "weight", "batch_size", "shuffle", "seed", "drop_last", "transform",
}

local function rows(o, key)
  local t = o[key]
  if t == nil then return end
  if not core.is_tensor(t) or t.ndim == 0 then
    error(("batches: %s must be a tensor of at least one dimension"):format(key), 4)
  end
  if t.shape[1] ~= o.x.shape[1] then
    error(("batches: x has %d rows and %s has %d"):format(o.x.shape[1], key, t.shape[1]), 4)
  end
end

local function check(given)
  local o = options.check("batches", given, KNOWN, 2)
  if not core.is_tensor(o.x) then error("batches: x must be a tensor", 3) end
  for _, key in ipairs { "x", "y", "weight" } do rows(o, key) end
  if o.transform ~= nil and type(o.transform) ~= "function" then
    error(("batches: transform must be a function, not a %s"):format(type(o.transform)), 3)
  end
  options.integer("batches", "seed", o.seed, math.mininteger, nil, 2)
  return {
    x = o.x, y = o.y, weight = o.weight, n = o.x.shape[1],
    size = options.integer("batches", "batch_size", o.batch_size, 1, 32, 2),
    shuffle = o.shuffle, seed = o.seed, transform = o.transform, drop_last = o.drop_last,
  }
end

local function order(b, epoch)
  if not b.shuffle then return nil end
  return core.permutation(b.n, b.seed, b.seed and ("shuffle." .. epoch) or "shuffle")
end

-- Rows from..to of what an epoch goes through, transformed.
local function batch(b, index, from, to)
  local range = { { from, to } }
  local key = index and index[range] or range
  local x, y, weight = b.x[key], b.y and b.y[key], b.weight and b.weight[key]
  if b.transform then
    local tx, ty, tw = b.transform(x, y, weight)
    x, y, weight = tx, ty == nil and y or ty, tw == nil and weight or tw
    if not core.is_tensor(x) then
      error(("batches: transform returned a %s where a tensor x should be"):format(type(x)), 0)
    end
  end
  if weight then return { x = x, y = y, weight = weight } end
  return x, y
end

local function iterate(b, epoch)
  local index, at = order(b, epoch), 0
  return function()
    local from, to = at + 1, math.min(at + b.size, b.n)
    if from > b.n or (b.drop_last and to - at < b.size) then return nil end
    at = to
    return batch(b, index, from, to)
  end
end

--- Cut tensors into batches.
--
-- The result is a function: `b(epoch)` gives an iterator over the batches of an epoch, each
-- call of which returns x and y (with `weight`: a table `{x=, y=, weight=}`), so it can be
-- given to `lariat.fit` as data. It can also stand in a `for` by itself; each loop is then an
-- epoch of its own.
--
-- Options: `x`, `y`, `weight`; `batch_size` (32); `shuffle` (false); `seed`: the order of an
-- epoch follows from seed and epoch alone, and the global random streams are left alone
-- (without one, the global stream "shuffle" is drawn from); `drop_last` leaves out a last batch
-- that is not full; `transform`: `function(x, y) -> x, y` applied to each batch.
-- @function batches
-- @tparam table options
-- @shape x (n, ...), y (n, ...), weight (n)
-- @return `function(epoch) -> iterator`
-- @raise numbers of rows that differ; an unknown key
-- @usage
-- local d = lariat.data.iris()
-- local b = lariat.data.batches { x = d.x, y = d.y, batch_size = 50, shuffle = true, seed = 1 }
-- for x, y in b(1) do print(x.shape[1], y[1]) end
-- for x, y in b do print(x:mean(), #y) end
return function(given)
  local b = check(given)
  local epoch, running = 0, nil
  return function(...)
    local first, control = ...
    if first == nil and select("#", ...) == 2 then -- called by `for` itself
      if control == nil then
        epoch = epoch + 1
        running = iterate(b, epoch)
      end
      return running()
    end
    epoch = first == nil and epoch + 1 or first
    return iterate(b, epoch)
  end
end
