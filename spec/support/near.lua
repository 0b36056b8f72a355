--- Compares numbers, nested tables and tensors within a relative and an absolute tolerance.
--
-- `near.check(actual, expected, options)` raises with the index and both values of the worst
-- place where `|actual - expected| <= abs + rel * |expected|` does not hold. NaN equals NaN, an
-- infinity only itself. Shapes must agree. Booleans count as 1 and 0.
-- @module spec.support.near

local near = {}

--- The value of a tensor as a number or a nested table, anything else as it is.
function near.plain(x)
  if type(x) ~= "userdata" then return x end
  if x.ndim == 0 then return x:item() end
  return x:totable()
end

local function number(x)
  if x == true then return 1 end
  if x == false then return 0 end
  return math.type(x) and x or nil
end

local function place(path)
  return #path == 0 and "the value" or "[" .. table.concat(path, "][") .. "]"
end

local function within(a, b, rel, abs)
  if a ~= a or b ~= b then return a ~= a and b ~= b, math.huge end
  if a == b then return true, 0 end
  local gap = math.abs(a - b)
  if gap == math.huge or math.abs(b) == math.huge then return false, math.huge end
  local room = abs + rel * math.abs(b)
  return gap <= room, gap / room
end

local function note(x, y, path, worst, options)
  local ok, excess = within(x, y, options.rel, options.abs)
  worst.count = worst.count + 1
  if ok then return end
  worst.bad = worst.bad + 1
  if worst.bad == 1 or excess > worst.excess then
    worst.excess, worst.place, worst.a, worst.b = excess, place(path), x, y
  end
end

local function word(x)
  return number(x) and tostring(x) or type(x)
end

local function walk(a, b, path, worst, options)
  local x, y = number(a), number(b)
  if x and y then return note(x, y, path, worst, options) end
  if type(a) ~= "table" or type(b) ~= "table" then
    return ("%s: got %s where %s is expected"):format(place(path), word(a), word(b))
  end
  if #a ~= #b then
    return ("%s: got %d entries where %d are expected"):format(place(path), #a, #b)
  end
  for i = 1, #b do
    path[#path + 1] = i
    local why = walk(a[i], b[i], path, worst, options)
    path[#path] = nil
    if why then return why end
  end
end

local MISS = "%s%s: got %.17g, expected %.17g (%.3g apart; "
  .. "%d of %d values differ by more than rel %g, abs %g)"

--- Whether `actual` is near `expected`; where not, a sentence.
-- @param actual a tensor, a number, a boolean or a nested table
-- @param expected the same
-- @param options `rel` (1e-10), `abs` (1e-12), `what`, a name for the message
-- @return true, or false and a sentence with index and both values
function near.compare(actual, expected, options)
  options = options or {}
  local tolerance = { rel = options.rel or 1e-10, abs = options.abs or 1e-12 }
  local what = options.what and options.what .. ": " or ""
  local worst = { count = 0, bad = 0, excess = 0 }
  local why = walk(near.plain(actual), near.plain(expected), {}, worst, tolerance)
  if why then return false, what .. why end
  if worst.bad == 0 then return true end
  return false, MISS:format(what, worst.place, worst.a, worst.b, math.abs(worst.a - worst.b),
    worst.bad, worst.count, tolerance.rel, tolerance.abs)
end

--- Raises where `actual` is not near `expected`.
-- @see near.compare
function near.check(actual, expected, options)
  local ok, why = near.compare(actual, expected, options)
  if not ok then error(why, 2) end
end

--- A tensor of zeros' worth of nested tables, in the shape of `like`.
function near.zeros(like)
  if type(like) ~= "table" then return 0 end
  local out = {}
  for i = 1, #like do out[i] = near.zeros(like[i]) end
  return out
end

return near
