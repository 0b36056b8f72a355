--- Keyword tables: every function with more than two arguments takes one.
-- @module lariat.options

local core = require "lariat.core"

local options = {}

--- Checks a keyword table: an unknown key is an error that names the nearest known one.
-- @tparam string owner  the function, for messages
-- @tparam ?table given  what the user gave; nil counts as empty
-- @tparam {string,...} known  the keys there are
-- @tparam[opt=3] number level  the stack level to blame
-- @treturn table given, or an empty table
-- @raise on a key that is not known
-- @usage options.check("fit", { epochs = 3 }, { "epochs", "lr" })
function options.check(owner, given, known, level)
  if given == nil then return {} end
  level = level or 3
  if type(given) ~= "table" then
    error(("%s: options are a table, not a %s"):format(owner, type(given)), level)
  end
  local set = {}
  for _, name in ipairs(known) do set[name] = true end
  for key in pairs(given) do
    if not set[key] then
      error(("%s: unknown key '%s'; did you mean '%s'?"):format(
        owner, tostring(key), core.nearest(tostring(key), known)), level)
    end
  end
  return given
end

--- A number from a keyword table, checked against its range.
-- @tparam string owner  the function, for messages
-- @tparam table given  the keyword table
-- @tparam string key  its name
-- @tparam ?number default  when there is none
-- @tparam[opt=-math.huge] number lo  least value
-- @tparam[opt=math.huge] number hi  largest value
-- @treturn ?number the value
-- @raise when it is no number or lies outside
-- @usage options.number("fit", { epochs = 3 }, "epochs", 1, 0)
function options.number(owner, given, key, default, lo, hi)
  local v = given[key]
  if v == nil then return default end
  lo, hi = lo or -math.huge, hi or math.huge
  if type(v) ~= "number" then
    error(("%s: %s must be a number, not a %s"):format(owner, key, type(v)), 3)
  elseif not (v >= lo and v <= hi) then
    error(("%s: %s = %s is outside [%g, %g]"):format(owner, key, v, lo, hi), 3)
  end
  return v
end

return options
