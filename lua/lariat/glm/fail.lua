--- Errors of `lariat.glm` and `lariat.select`: sentences from deep inside, at the line of the
-- call.
-- @module lariat.glm.fail

local fail = {}

-- "file:line: " of the nearest caller outside this library.
local function place()
  for level = 3, 30 do
    local info = debug.getinfo(level, "Sl")
    if not info then return "" end
    local ours = info.short_src:find "^lariat/" or info.short_src:find "^[./]*lua/lariat/"
    if info.currentline > 0 and not ours then
      return ("%s:%d: "):format(info.short_src, info.currentline)
    end
  end
  return ""
end

-- The sentence with the name of the operation, unless it begins with that.
local function named(owner, why)
  if not owner or why:sub(1, #owner) == owner then return why end
  return owner .. ": " .. why
end

-- An error as it came when it names a line of the user's, else at the line of the call.
local function blame(owner, why)
  if type(why) ~= "string" then return why end
  local ours = why:match "^[./]*l?u?a?/?lariat/[%w_/]+%.lua:%d+: (.*)$"
  if ours or not why:match "^[^\n]-:%d+: " then return place() .. named(owner, ours or why) end
  return why
end

--- Raises a formatted sentence, without a line.
-- @tparam string format
-- @param ...  for string.format
-- @usage local raise = require "lariat.glm.fail".raise
function fail.raise(format, ...) error(format:format(...), 0) end

local function passed(owner, ok, ...)
  if ok then return ... end
  error(blame(owner, (...)), 0)
end

--- Calls a function; its errors are raised at the line outside this library that led here.
-- @tparam function fn
-- @param ...  its arguments
-- @return what it returns
-- @usage print(require "lariat.glm.fail".call(math.abs, -1))
function fail.call(fn, ...) return passed(nil, pcall(fn, ...)) end

--- The same for an operation that its errors name.
-- @tparam string owner  such as "glm.path"
-- @tparam function fn
-- @param ...  its arguments
-- @return what it returns
-- @usage print(require "lariat.glm.fail".as("abs", math.abs, -1))
function fail.as(owner, fn, ...) return passed(owner, pcall(fn, ...)) end

return fail
