--- Choosing: how rows are divided to judge a model by what it has not seen. (Called,
-- `lariat.select(x, dim, index)` is the tensor's method.)
-- @module lariat.select

local core = require "lariat.core"
local options = require "lariat.options"
local fail = require "lariat.glm.fail"
local Folds = require "lariat.select.folds"

local raise = fail.raise
local select = setmetatable({}, {
  __call = function(_, ...) return core.op.select(...) end,
})

-- The id of every row: parts of `order` of nearly equal sizes, classes spread evenly.
local function deal(n, k, seed, labels)
  local sizes, want = {}, {}
  for f = 1, k do sizes[f] = n // k + (f <= n % k and 1 or 0) end
  sizes[k + 1] = 0
  local order = core.permutation(n, seed, "split")
  local dealt = labels and core.deal(order, sizes, labels) or order
  for f = 1, k do want[f] = core.full({ sizes[f] }, f, { dtype = "int64" }) end
  return core.zeros(n, { dtype = "int64" }):scatter_(1, dealt, core.op.cat(want, 1))
end

local function count(owner, n, o)
  local k = o.folds or 10
  if math.type(n) ~= "integer" or n < 2 then
    raise("%s: %s rows; at least 2 are needed", owner, tostring(n))
  elseif math.type(k) ~= "integer" or k < 2 or k > n then
    raise("%s: folds = %s; of %d rows there can be 2 to %d", owner, tostring(k), n, n)
  end
  if o.seed ~= nil and math.type(o.seed) ~= "integer" then
    raise("%s: seed must be an integer, not %s", owner, tostring(o.seed))
  end
  return k, o.seed or 1
end

local function kfold(n, o)
  local k, seed = count("kfold", n, o)
  return Folds.new(deal(n, k, seed), k, "shuffled", seed)
end

local function stratified(y, o)
  if not core.is_tensor(y) or y.dtype ~= "int64" or y.ndim ~= 1 then
    raise "stratified_kfold: y must be an int64 tensor of labels 1..K"
  end
  local k, seed = count("stratified_kfold", y.numel, o)
  return Folds.new(deal(y.numel, k, seed, y), k, "stratified", seed)
end

--- Folds of n rows, shuffled: sizes differ by at most one.
-- @tparam integer n
-- @tparam[opt] table given  `folds` (10), `seed` (1)
-- @treturn lariat.select.folds
-- @raise fewer than 2 folds, or more than rows
-- @usage print(lariat.select.kfold(442, { folds = 10, seed = 1 }))
function select.kfold(n, given)
  options.check("kfold", given, { "folds", "seed" })
  return fail.call(kfold, n, given or {})
end

--- Folds in which every class is spread evenly.
-- @tparam Tensor y  int64 labels 1..K (n)
-- @tparam[opt] table given  `folds` (10), `seed` (1)
-- @treturn lariat.select.folds
-- @raise labels of another kind
-- @source Tijdeman 1980, Discrete Math. 32(3), for the order of dealing
-- @usage print(lariat.select.stratified_kfold(d.y, { folds = 5 }))
function select.stratified_kfold(y, given)
  options.check("stratified_kfold", given, { "folds", "seed" })
  return fail.call(stratified, y, given or {})
end

local function as_ids(given)
  if type(given) == "string" then
    local ids, why = require "lariat.data.npy"(given)
    if not ids then raise("folds: %s", why) end
    given = ids
  end
  if type(given) == "table" then given = core.tensor(given, { dtype = "int64" }) end
  if not core.is_tensor(given) or given.ndim ~= 1 or given.numel < 2 then
    raise "folds: the number of each row's fold is needed, as a vector or a list"
  end
  local ids = given:long()
  if ids:to(given.dtype):ne(given):any():item() then raise "folds: ids are whole numbers" end
  return ids
end

local function from_ids(given)
  local ids = as_ids(given)
  if ids:min():item() < 1 then
    raise("folds: ids count from 1; there is a %d", ids:min():item())
  end
  local k = ids:max():item()
  for f, rows in ipairs(core.class_counts(ids, k)) do
    if rows == 0 then raise("folds: fold %d of %d has no row", f, k) end
  end
  if k < 2 then raise "folds: there is only one; at least 2 are needed" end
  return Folds.new(ids, k, "given")
end

--- Folds from the number of each row's fold, or from a file of them.
-- @tparam Tensor|table|string given  whole numbers 1..K (n), or the path of an .npy file
-- @treturn lariat.select.folds
-- @raise a fold without rows; numbers below 1
-- @usage print(lariat.select.folds { 1, 2, 3, 1, 2, 3 })
function select.folds(given)
  if Folds.is(given) then return given end
  return fail.call(from_ids, given)
end

return select
