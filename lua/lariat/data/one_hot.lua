--- Classes as columns.
-- @submodule lariat.data

local core = require "lariat.core"
local options = require "lariat.data.support.options"

--- A row for each label, with a 1 in the column of its class and 0 elsewhere.
-- @function one_hot
-- @param labels int64 tensor of 1..classes
-- @tparam[opt] int classes by default the largest label
-- @tparam[opt] table options `dtype`
-- @shape labels (n) -> (n, classes)
-- @return a float tensor
-- @raise labels that are not int64; a label out of 1..classes, with its row
-- @usage
-- print(lariat.data.one_hot(lariat.tensor({ 2, 1, 3 }, { dtype = "int64" }), 3))
return function(labels, classes, given)
  if type(classes) == "table" then classes, given = nil, classes end
  local o = options.check("one_hot", given, { "dtype" })
  local dtype = options.float("one_hot", o.dtype)
  classes = options.integer("one_hot", "classes", classes, 1)
  local ok, out = pcall(core.one_hot, labels, classes, dtype)
  if not ok then error(out, 2) end
  return out
end
