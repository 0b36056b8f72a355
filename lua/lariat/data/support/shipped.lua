--- Data sets that are carried inside the program.
-- @module lariat.data.support.shipped
-- @local

local core = require "lariat.core"
local options = require "lariat.data.support.options"
local reader = require "lariat.data.support.table"

local UCI = "UCI Machine Learning Repository"

--- The function that gives a data set out of `lariat/data/<name>.csv.gz`.
-- @tparam table about `name target source license description`; `classes` in the order of
-- their codes; `options` that there are beside dtype; `finish(d, options)`
return function(about)
  local known = { "dtype" }
  for _, key in ipairs(about.options or {}) do known[#known + 1] = key end
  local file = about.name .. ".csv.gz"
  return function(given)
    local o = options.check("data." .. about.name, given, known)
    local dtype = options.float("data." .. about.name, o.dtype)
    local bytes = core.baked("lariat/data/" .. file)
    local d = assert(reader.read("data." .. about.name, file, bytes, {
      target = about.target, header = true, dtype = dtype,
      types = about.classes and { [about.target] = "category" },
    }))
    d.types = nil
    d.name, d.classes = about.name, about.classes
    d.description, d.license = about.description, about.license
    d.source = about.source:gsub("UCI", UCI, 1)
    if about.finish then about.finish(d, o) end
    return d
  end
end
