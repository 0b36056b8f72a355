--- From delimited text to a data set: which columns, of which kind, into x or y.
-- @module lariat.data.support.table
-- @local

local core = require "lariat.core"
local dataset = require "lariat.data.dataset"
local options = require "lariat.data.support.options"

local reader = {}

reader.known = {
  "target", "columns", "drop", "types", "header", "sep", "quote", "decimal", "comment", "skip",
  "missing", "on_missing", "categories", "max_levels", "dtype",
}

local KINDS = { "number", "integer", "boolean", "category", "date", "string" }
local MISSING = { "NA", "N/A", "NaN", "nan", "null", "NULL", "?" }

local function fail(text, ...) error(select("#", ...) > 0 and text:format(...) or text, 0) end

-- Names ---------------------------------------------------------------------------------

-- Every column gets a name of its own.
local function unique(names)
  local taken, out = {}, {}
  for k, name in ipairs(names) do
    if name == "" then name = "x" .. k end
    local fresh, n = name, 1
    while taken[fresh] do
      n = n + 1
      fresh = name .. "_" .. n
    end
    taken[fresh], out[k] = true, fresh
  end
  return out
end

-- The position of a column from its name or number.
local function find(names, what, column)
  if math.type(column) == "integer" then
    local k = column < 0 and #names + 1 + column or column
    if names[k] then return k end
    fail("%s %d is not one of the %d columns", what, column, #names)
  end
  for k, name in ipairs(names) do
    if name == column then return k end
  end
  if type(column) ~= "string" then
    fail("%s is a name or a number, not a %s", what, type(column))
  end
  fail("%s '%s' is not a column; did you mean '%s'?", what, column, core.nearest(column, names))
end

local function find_all(names, what, list)
  local out = {}
  for k, column in ipairs(type(list) == "table" and list or { list }) do
    out[k] = find(names, what, column)
  end
  return out
end

-- What is wanted ------------------------------------------------------------------------

-- What does not go into x: a set of positions.
local function set_aside(names, target, drop)
  local out = { [target or 0] = true }
  for _, k in ipairs(find_all(names, "drop", drop)) do
    if k == target then fail("drop names the target '%s'", names[k]) end
    out[k] = true
  end
  return out
end

-- The features, in order, and the target, as positions.
local function choose(names, o)
  local target = o.target ~= nil and find(names, "target", o.target) or nil
  local aside, features = set_aside(names, target, o.drop), {}
  local list = o.columns and find_all(names, "columns", o.columns)
  for k = 1, list and #list or #names do
    local column = list and list[k] or k
    if not aside[column] then features[#features + 1] = column end
  end
  if #features == 0 then fail "no column is left for x" end
  return features, target
end

local function check_kind(kind)
  for _, word in ipairs(KINDS) do
    if word == kind then return end
  end
  fail("types: '%s' is not a type; did you mean '%s'?", tostring(kind),
    core.nearest(tostring(kind), KINDS))
end

local function kinds_of(names, features, target, types)
  local kinds = {}
  for k = 1, #names do kinds[k] = false end
  for _, k in ipairs(features) do kinds[k] = "auto" end
  if target then kinds[target] = "target" end
  for column, kind in pairs(types or {}) do
    local k = find(names, "types", column)
    check_kind(kind)
    if kinds[k] then kinds[k] = kind end
  end
  local asked = target and kinds[target]
  if asked == "date" or asked == "string" then
    fail("the target '%s' is to be a number or a category, not a %s", names[target], asked)
  end
  return kinds
end

-- Reading ---------------------------------------------------------------------------------

-- Deal with missing values, before x and y are made: a sentence if that cannot be.
local function gaps(t)
  local every = table.move(t.features, 1, #t.features, 1, {})
  every[#every + 1] = t.target
  local frame, how = t.frame, t.on_missing
  if how == "drop" then
    frame:drop(every)
    if frame:missing(every) or frame:matrix({ every[1] }, false, "bool").shape[1] == 0 then
      return t.name .. ": no row is without missing values"
    end
    return nil
  end
  local line, k = frame:missing(how == "error" and every or { t.target })
  if not line then return nil end
  if how == "error" then
    return ("%s:%d: column '%s' is missing, and on_missing is 'error'"):format(t.name, line,
      t.names[k])
  end
  if how == "mean" or t.kinds[k] == "category" then
    return ("%s:%d: the target '%s' is missing; on_missing = 'drop' leaves such rows out")
      :format(t.name, line, t.names[k])
  end
end

-- Names of the columns of x, and the levels of the categories among them.
local function spread(t)
  local names, levels = {}, {}
  for _, k in ipairs(t.features) do
    local name = t.names[k]
    if t.kinds[k] == "category" then levels[name] = t.frame:levels(k) end
    if levels[name] and t.categories == "one_hot" then
      for _, level in ipairs(levels[name]) do names[#names + 1] = name .. "=" .. level end
    else
      names[#names + 1] = name
    end
  end
  return names, levels
end

-- Split the features into those that are numbers and those that stay text.
local function separate(t)
  local numbers, text = {}, {}
  for _, k in ipairs(t.features) do
    local kind = t.kinds[k]
    if kind == "date" or kind == "string" then
      text[t.names[k]] = k
    elseif kind ~= "category" or t.categories ~= "drop" then
      numbers[#numbers + 1] = k
    end
  end
  t.features = numbers
  return text
end

local function make_x(t)
  local x = t.frame:matrix(t.features, t.categories == "one_hot", t.dtype)
  if t.on_missing == "mean" then
    local empty = core.column_fill(x)
    if empty then return nil, empty end
  end
  return x
end

local function make_y(t)
  if not t.target then return nil end
  local class = t.kinds[t.target] == "category"
  local y = t.frame:matrix({ t.target }, false, class and "int64" or t.dtype)
  return y:reshape(y.shape[1]), class and t.frame:levels(t.target) or nil
end

local function make(t)
  local text = separate(t)
  if #t.features == 0 then
    return nil, t.name .. ": no column holds numbers or categories, so there is nothing for x"
  end
  local why = gaps(t)
  if why then return nil, why end
  local names, levels = spread(t)
  local x, empty = make_x(t)
  if not x then
    return nil, ("%s: column '%s' has no values to take a mean of"):format(t.name, names[empty])
  end
  local types = {}
  for k, name in ipairs(t.names) do
    if t.kinds[k] ~= "skip" then types[name] = t.kinds[k] end
  end
  for name, k in pairs(text) do text[name] = t.frame:strings(k) end
  local y, classes = make_y(t)
  return dataset {
    x = x, y = y, names = names, classes = classes, target = t.names[t.target], types = types,
    levels = next(levels) and levels or nil, text = next(text) and text or nil,
    name = t.name:match "([^/]+)%.%w+$" or t.name,
  }
end

local function read(t, o)
  t.names = unique(t.frame:names())
  t.features, t.target = choose(t.names, o)
  local kinds = kinds_of(t.names, t.features, t.target, o.types)
  local count, why = t.frame:read(kinds, o.missing or MISSING, o.max_levels or 100)
  if not count then return nil, why end
  if count == 0 then return nil, t.name .. ": there is a header and no row" end
  t.kinds = t.frame:kinds()
  return make(t)
end

-- Options -----------------------------------------------------------------------------------

local function byte(owner, key, value)
  if value ~= nil and value ~= false and (type(value) ~= "string" or #value ~= 1) then
    error(("%s: %s is a single character, not %s"):format(owner, key, tostring(value)), 5)
  end
end

-- Lists and tables where they are asked for; missing holds strings.
local function check_tables(owner, o)
  for _, key in ipairs { "types", "missing" } do
    if o[key] ~= nil and type(o[key]) ~= "table" then
      error(("%s: %s is a table, not a %s"):format(owner, key, type(o[key])), 5)
    end
  end
  for _, word in ipairs(o.missing or {}) do
    if type(word) ~= "string" then
      error(("%s: missing is a list of strings; found %s"):format(owner, tostring(word)), 5)
    end
  end
end

local function check(owner, o)
  options.check(owner, o, reader.known, 3)
  check_tables(owner, o)
  for _, key in ipairs { "sep", "quote", "decimal", "comment" } do byte(owner, key, o[key]) end
  if o.sep and (o.sep:find '[%w\r\n"%.+-]' or o.sep == o.decimal) then
    error(("%s: '%s' cannot separate columns"):format(owner, o.sep), 4)
  end
  if o.header ~= nil and o.header ~= "auto" and type(o.header) ~= "boolean" then
    error(("%s: header is true, false or 'auto', not %s"):format(owner, tostring(o.header)), 4)
  end
  options.integer(owner, "skip", o.skip, 0, 0, 3)
  options.integer(owner, "max_levels", o.max_levels, 0, 0, 3)
  local categories = options.choice(owner, "categories", o.categories or "one_hot",
    { "one_hot", "code", "drop" }, 3)
  local on_missing = options.choice(owner, "on_missing", o.on_missing or "nan",
    { "nan", "drop", "mean", "error" }, 3)
  if categories == "code" and on_missing == "mean" then
    error(owner .. ": codes have no mean; with on_missing = 'mean' take categories = 'one_hot'",
      4)
  end
  return { categories = categories, on_missing = on_missing,
    dtype = options.float(owner, o.dtype, 3) }
end

--- Read a file, or a text if there is one.
-- @return a data set, or nil and a sentence
function reader.read(owner, name, text, o)
  o = o or {}
  local t = check(owner, o)
  local frame, why = core.frame(name, text, o)
  if not frame then return nil, owner .. ": " .. why end
  t.frame, t.name = frame, name
  local ok, made, sentence = pcall(read, t, o)
  frame:close()
  if not ok then
    error(type(made) == "string" and ("%s: %s: %s"):format(owner, name, made) or made, 3)
  end
  if not made then return nil, owner .. ": " .. sentence end
  return made
end

return reader
