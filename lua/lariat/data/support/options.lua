--- Keyword tables: words, dtypes and whole numbers in them.
-- @module lariat.data.support.options
-- @local

local core = require "lariat.core"
local shared = require "lariat.options"

local options = {}

--- The keys of `given` must be among `known`, a list.
-- Blames the caller of the function that calls this one.
-- @return `given`, or an empty table for nil
function options.check(owner, given, known, level)
  return shared.check(owner, given, known, (level or 1) + 2) -- a tail call takes no frame
end

--- The value of a key must be one of a list of words.
function options.choice(owner, key, value, words, level)
  for _, word in ipairs(words) do
    if value == word then return value end
  end
  error(("%s: %s is '%s'; it can be '%s'"):format(owner, key, value,
    table.concat(words, "', '")), (level or 1) + 2)
end

--- A dtype of floats: the one asked for, or the default.
function options.float(owner, dtype, level)
  if dtype == nil then return core.default_dtype() end
  local words = { "float32", "float64" }
  dtype = options.choice(owner, "dtype", dtype, words, (level or 1) + 1)
  return dtype -- not a tail call: levels count frames
end

--- An integer of at least `least`, or a default for nil.
function options.integer(owner, key, value, least, default, level)
  if value == nil then return default end
  local n = math.type(value) and math.tointeger(value)
  if not n or n < least then
    error(("%s: %s must be an integer of at least %d, not %s"):format(owner, key, least,
      tostring(value)), (level or 1) + 2)
  end
  return n
end

return options
