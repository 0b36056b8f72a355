--- Splitting a data set.
-- @submodule lariat.data

local core = require "lariat.core"
local dataset = require "lariat.data.dataset"
local options = require "lariat.data.support.options"

local function fail(text, ...) error("split: " .. text:format(...), 0) end

-- Whole sizes from shares of n that are not whole: the largest remainders are rounded up.
local function largest_remainders(n, shares)
  local sizes, order, left = {}, {}, n
  for k, share in ipairs(shares) do
    sizes[k], order[k] = math.floor(share * n + 1e-9), k
    left = left - sizes[k]
  end
  table.sort(order, function(a, b)
    local x, y = shares[a] * n - sizes[a], shares[b] * n - sizes[b]
    if x == y then return a < b end
    return x > y
  end)
  for k = 1, left do sizes[order[k]] = sizes[order[k]] + 1 end
  return sizes
end

local function from_fractions(n, parts, sum)
  local shares = table.move(parts, 1, #parts, 1, {})
  if sum > 1 + 1e-9 then fail("the fractions add up to %.4g, which is more than 1", sum) end
  shares[#shares + 1] = math.max(0, 1 - sum)
  if shares[#shares] < 1e-9 then shares[#shares] = 0 end
  return largest_remainders(n, shares)
end

local function from_counts(n, parts, sum)
  local sizes = {}
  for k, count in ipairs(parts) do
    sizes[k] = math.tointeger(count)
    if not sizes[k] then fail("part %d is %s; give fractions, or whole numbers", k, count) end
  end
  if sum > n then fail("%d rows are asked for and there are %d", math.tointeger(sum), n) end
  sizes[#sizes + 1] = n - math.tointeger(sum)
  return sizes
end

-- The parts as a list, their sum, and whether they are fractions.
local function read_parts(parts)
  if type(parts) == "number" then parts = { parts, 1 - parts } end
  if type(parts) ~= "table" or #parts == 0 then
    fail("the parts are a list of fractions or counts, such as {0.8, 0.2}, not %s",
      type(parts) == "table" and "an empty one" or "a " .. type(parts))
  end
  local sum, fractions = 0, false
  for k, part in ipairs(parts) do
    if not math.type(part) or not (part > 0) then
      fail("part %d is %s; it must be above 0", k, tostring(part))
    end
    sum, fractions = sum + part, fractions or part < 1
  end
  return parts, sum, fractions
end

-- The size of each part, and last of what is left over.
local function part_sizes(n, parts)
  local list, sum, fractions = read_parts(parts)
  local sizes = (fractions and from_fractions or from_counts)(n, list, sum)
  for k, part in ipairs(list) do
    if sizes[k] == 0 then fail("part %d, %s of %d rows, has no row", k, part, n) end
  end
  return sizes
end

local function labels(d, stratify)
  if not stratify then return nil end
  local y = stratify == true and d.y or stratify
  if not core.is_tensor(y) then fail("stratify needs class labels, and there is no y") end
  if y.dtype ~= "int64" or y.ndim ~= 1 or y.shape[1] ~= #d then
    fail("stratify needs int64 labels, one for each of the %d rows, not %s (%s)", #d, y.dtype,
      table.concat(y.shape, ", "))
  end
  return y
end

local function split(d, parts, o)
  local n = #d
  local sizes, y = part_sizes(n, parts), labels(d, o.stratify)
  local order = o.shuffle == false and core.arange(1, n, { dtype = "int64" })
    or core.permutation(n, o.seed, "split")
  local ok, dealt = pcall(core.deal, order, sizes, y)
  if not ok then error(dealt, 0) end
  local out, at = {}, 0
  for k = 1, #sizes - 1 do
    out[k] = d:rows(dealt[{ { at + 1, at + sizes[k] } }])
    at = at + sizes[k]
  end
  return out
end

--- Split a data set into parts at random.
--
-- Parts are given by fractions (sizes are rounded by largest remainder; what is missing to 1
-- is left out) or by counts. Everything with one entry a row is split along; the rest (names,
-- classes, ...) is shared. Options:
--
-- - `seed`: the same seed gives the same parts and leaves the global random streams alone;
--   without one, the global stream "split" is drawn from.
-- - `stratify`: true spreads every class of `d.y` evenly: a class of m rows gives a part of
--   size s to within a row or two m s / n of them (exactly, where that is whole). Or a tensor
--   of labels to go by.
-- - `shuffle`: false keeps the rows in order (the parts are then blocks, unless stratified).
-- @function split
-- @tparam table d a data set, or a table of tensors with `x`
-- @tparam table parts `{0.8, 0.2}`, or `{100, 50}`; a number f is `{f, 1 - f}`
-- @tparam[opt] table options `seed`, `stratify`, `shuffle`
-- @return as many data sets as there are parts
-- @raise parts that are too large or empty; stratify without classes; an unknown key
-- @source R. Tijdeman 1980, The chairman assignment problem, for the order of dealing
-- @usage
-- local d = lariat.data.iris()
-- local train, test = lariat.data.split(d, { 0.8, 0.2 }, { seed = 1, stratify = true })
-- print(#train, #test)                     --> 120 30
return function(d, parts, given)
  local o = options.check("split", given, { "seed", "stratify", "shuffle" })
  options.integer("split", "seed", o.seed, math.mininteger)
  local ok, out = pcall(split, dataset.from("split", d), parts, o)
  if not ok then error(out, 2) end
  return table.unpack(out)
end
