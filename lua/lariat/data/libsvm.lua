--- Sparse rows as text.
-- @submodule lariat.data

local core = require "lariat.core"
local dataset = require "lariat.data.dataset"
local options = require "lariat.data.support.options"

-- Labels that are whole numbers are classes: 1..K in the order of their values.
local function classes(y)
  local seen, values = {}, {}
  for _, v in ipairs(y:totable()) do
    if v ~= math.floor(v) then return nil end
    if not seen[v] then seen[v], values[#values + 1] = true, v end
  end
  table.sort(values)
  local code, names = {}, {}
  for k, v in ipairs(values) do code[v], names[k] = k, ("%d"):format(v) end
  local out = {}
  for i, v in ipairs(y:totable()) do out[i] = code[v] end
  return core.tensor(out, { dtype = "int64" }), names
end

--- Read a file of lines `label index:value index:value ...` as a data set with a sparse x.
--
-- Options: `columns` (by default the largest index), `base` of the indices (0 or 1; by default
-- 0 if one is found, else 1), `dtype`, and `target`: `"number"` keeps the labels as float64,
-- `"class"` makes them int64 classes 1..K with their names in `d.classes`; by default that is
-- done where the labels are at most 20 different whole numbers. Comments after `#` and `qid:`
-- are left out.
-- @function libsvm
-- @tparam string path plain or gzipped
-- @tparam[opt] table given options
-- @shape x sparse (n, p), y (n)
-- @return a data set; or nil and a sentence with file and line
-- @source Chang & Lin 2011, ACM TIST 2(3)
-- @usage
-- local d, why = lariat.data.libsvm("no-such-file.svm")
-- print(d or why)
return function(path, given)
  local o = options.check("data.libsvm", given, { "columns", "base", "dtype", "target" })
  local x, y = core.libsvm_read(path, o.dtype, o.columns or 0, o.base or -1)
  if x == nil then return nil, "data.libsvm: " .. y end
  local labels, names
  if o.target ~= "number" then labels, names = classes(y) end
  if labels and (o.target == "class" or #names <= 20) then
    return dataset { x = x, y = labels, classes = names, name = path }
  end
  return dataset { x = x, y = y, name = path }
end
