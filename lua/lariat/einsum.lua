--- Sums of products by Einstein's notation, made of permutations and batched products.
-- @module lariat.einsum

local core = require "lariat.core"

-- Raised without a position; einsum adds its caller's.
local function fail(spec, text, ...)
  error(("einsum: '%s': " .. text):format(spec, ...), 0)
end

local function append(list, more)
  for _, l in ipairs(more) do list[#list + 1] = l end
  return list
end

-- Where each letter stands in the lists given.
local function index(...)
  local at = {}
  for _, list in ipairs { ... } do
    for i, l in ipairs(list) do at[l] = i end
  end
  return at
end

-- ---- reading the notation ----

-- The dimensions behind "..." are called ".n" ... ".2" ".1": counted from the right, so that
-- they broadcast.
local function dots(n)
  local out = {}
  for k = n, 1, -1 do out[#out + 1] = "." .. k end
  return out
end

-- Subscripts as a list of letters, `rest` dimensions in the place of "...".
local function letters(spec, text, rest)
  local before, after = text:match "^(.-)%.%.%.(.*)$"
  local out = {}
  for l in (before or text):gmatch "." do out[#out + 1] = l end
  if before then append(out, dots(rest)) end
  for l in (after or ""):gmatch "." do out[#out + 1] = l end
  for _, l in ipairs(out) do
    if not (l:find "^%a$" or l:find "^%.%d+$") then
      fail(spec, "'%s' must be letters and at most one '...'", text)
    end
  end
  return out
end

-- Those of an operand with that many dimensions.
local function operand(spec, text, ndim)
  local bare = text:gsub("%.%.%.", "", 1)
  if #bare > ndim or (#bare < ndim and bare == text) then
    fail(spec, "'%s' names %d dimensions of a tensor that has %d", text, #bare, ndim)
  end
  return letters(spec, text, ndim - #bare)
end

-- How often each letter occurs, and how many dimensions "..." stands for at most.
local function census(inputs)
  local count, most = {}, 0
  for _, subs in ipairs(inputs) do
    for _, l in ipairs(subs) do
      count[l] = (count[l] or 0) + 1
      most = math.max(most, math.tointeger(l:match "%d+") or 0)
    end
  end
  return count, most
end

-- What comes out when the notation does not say: the letters that occur once, sorted.
local function implicit(inputs)
  local count, most = census(inputs)
  local once = {}
  for l, n in pairs(count) do
    if n == 1 and #l == 1 then once[#once + 1] = l end
  end
  table.sort(once)
  return append(dots(most), once)
end

local function explicit(spec, text, inputs)
  local known, most = census(inputs)
  local out, seen = letters(spec, text, most), {}
  for _, l in ipairs(out) do
    if not known[l] then fail(spec, "'%s' of the output is in no input", l) end
    if seen[l] then fail(spec, "'%s' of the output occurs twice", l) end
    seen[l] = true
  end
  return out
end

local function parse(spec, list)
  local left, right = spec:gsub("%s", ""):match "^(.-)%->(.*)$"
  local inputs, n = {}, 0
  for part in ((left or spec:gsub("%s", "")) .. ","):gmatch "([^,]*)," do
    n = n + 1
    if list[n] then inputs[n] = operand(spec, part, list[n].ndim) end
  end
  if n ~= #list then fail(spec, "is written for %d tensors, not %d", n, #list) end
  return inputs, right and explicit(spec, right, inputs) or implicit(inputs)
end

-- Sizes of the letters; a 1 stretches to what it meets behind "..." only.
local function measure(spec, list, inputs)
  local size = {}
  for i, x in ipairs(list) do
    for d, l in ipairs(inputs[i]) do
      local n, old, stretch = x.shape[d], size[l], #l > 1
      if old == nil or (stretch and old == 1) then
        size[l] = n
      elseif n ~= old and not (stretch and n == 1) then
        fail(spec, "'%s' stands for %d and %d", l, old, n)
      end
    end
  end
  return size
end

-- ---- computing: an operand is {x, its letters} ----

-- A letter twice in one operand is its diagonal, which goes to the end.
local function diagonals(x, subs)
  local first = {}
  for j, l in ipairs(subs) do
    local i = first[l]
    if i then
      local order, rest = {}, {}
      for d, other in ipairs(subs) do
        if d ~= i and d ~= j then
          order[#order + 1], rest[#rest + 1] = d, other
        end
      end
      return diagonals(x:permute(append(order, { i, j })):diagonal(), append(rest, { l }))
    end
    first[l] = j
  end
  return x, subs
end

-- Sum away the letters that are not in `keep`.
local function reduced(x, subs, keep)
  local gone, rest = {}, {}
  for d, l in ipairs(subs) do
    local list = keep[l] and rest or gone
    list[#list + 1] = keep[l] and l or d
  end
  if #gone > 0 then x = x:sum(gone) end
  return x, rest
end

-- x with its dimensions in the order of `want`, stretched to their sizes, as `shape`.
local function arranged(x, subs, want, size, shape)
  local at, order, full = index(subs), {}, {}
  for i, l in ipairs(want) do order[i], full[i] = at[l], size[l] end
  if #order > 1 then x = x:permute(order) end
  if #full > 0 then x = x:expand(full) end
  return shape and x:reshape(shape) or x
end

local function product(letters_, size)
  local n = 1
  for _, l in ipairs(letters_) do n = n * size[l] end
  return n
end

local function is_float(x) return x.dtype == "float32" or x.dtype == "float64" end

-- The product of two operands, letters outside `keep` summed: a batched matrix product over
-- letters in both and kept (batch), in x only, in both and summed (inner), in y only.
local function pair(x, xs, y, ys, keep, size)
  local in_x, in_y = index(xs), index(ys)
  local batch, left, right, inner = {}, {}, {}, {}
  for _, l in ipairs(xs) do
    local list = not in_y[l] and left or keep[l] and batch or inner
    list[#list + 1] = l
  end
  for _, l in ipairs(ys) do
    if not in_x[l] then right[#right + 1] = l end
  end
  local b, m = product(batch, size), product(left, size)
  local k, n = product(inner, size), product(right, size)
  local xl = append(append(append({}, batch), left), inner)
  local yl = append(append(append({}, batch), inner), right)
  local out, shape = append(append(append({}, batch), left), right), {}
  for i, l in ipairs(out) do shape[i] = size[l] end
  if #inner > 0 and (is_float(x) or is_float(y)) then
    x = arranged(x, xs, xl, size, { b, m, k })
    y = arranged(y, ys, yl, size, { b, k, n })
    return x:matmul(y):reshape(shape), out
  end
  x = arranged(x, xs, xl, size, { b, m, k, 1 })
  y = arranged(y, ys, yl, size, { b, 1, k, n })
  return (x * y):sum(3):reshape(shape), out -- integers stay exact
end

local function contract(list, inputs, out, size)
  local x, xs = diagonals(list[1], inputs[1])
  x, xs = reduced(x, xs, index(out, table.unpack(inputs, 2)))
  for i = 2, #list do
    local y, ys = diagonals(list[i], inputs[i])
    local keep = index(out, table.unpack(inputs, i + 1))
    y, ys = reduced(y, ys, index(out, xs, table.unpack(inputs, i + 1)))
    x, xs = reduced(x, xs, index(out, ys, table.unpack(inputs, i + 1)))
    x, xs = pair(x, xs, y, ys, keep, size)
  end
  return arranged(x, xs, out, size)
end

--- Sum of products by Einstein's notation: every letter is a dimension, letters that the
-- output lacks are summed. A letter twice in one tensor is its diagonal, "..." stands for
-- dimensions that broadcast, and without "->" the letters that occur once come out, sorted.
-- @tparam string spec such as "ij,jk->ik"
-- @tparam tensor ... the tensors, or one list of them
-- @treturn tensor the result
-- @raise when spec and shapes do not agree
-- @usage local c = lariat.einsum("ij,jk->ik", lariat.ones(2, 3), lariat.ones(3, 4))
local function einsum(spec, ...)
  if type(spec) ~= "string" then
    error("einsum: the first argument is the notation, a string, not a " .. type(spec), 2)
  end
  local list = { ... }
  if #list == 1 and type(list[1]) == "table" then list = list[1] end
  for i, x in ipairs(list) do
    if not core.is_tensor(x) then
      error(("einsum: operand %d is a %s, not a tensor"):format(i, type(x)), 2)
    end
  end
  local ok, inputs, out = pcall(parse, spec, list)
  if not ok then error(inputs, 2) end
  local fits, size = pcall(measure, spec, list, inputs)
  if not fits then error(size, 2) end
  return contract(list, inputs, out, size)
end

return { einsum = einsum }
