--- Data sets: tensors of as many rows, and what their columns and classes are called.
-- @submodule lariat.data

local core = require "lariat.core"

local dataset = {}
local methods = {}

local function rows(t) return t.ndim > 0 and t.shape[1] or nil end

-- A tensor, or a sparse matrix, which x may be.
local function is_array(v) return core.is_tensor(v) or core.is_sparse(v) end

--- The names of the tensors that have one entry a row, x first.
local function aligned(d)
  local names = {}
  for name, value in pairs(d) do
    if is_array(value) and rows(value) == rows(d.x) then names[#names + 1] = name end
  end
  table.sort(names)
  return names
end

local function copy(d)
  local out = {}
  for key, value in pairs(d) do out[key] = value end
  return out
end

--- Make a data set of tensors.
--
-- A data set is a table with `x`, as a rule `y`, any other tensors (`weight`, ...), and what
-- is known about them: `names` of the features, `classes`, `target`, `name`, `description`,
-- `source`, `license`. It can be printed, split, standardized, and given to `lariat.fit`.
--
-- x may be a sparse matrix (`lariat.sparse`), for `lariat.glm`.
--
-- - `d:rows(index)`: the data set of some rows, by an int64 tensor, a mask, or `{from, to}`.
-- - `d:to(dtype)`: its float tensors in another dtype.
-- - `#d`: how many rows.
-- @function dataset
-- @tparam table fields `x`, and any of the above
-- @shape x (n, p) or (n, ...); y (n), floats, or int64 classes 1..K; others (n, ...)
-- @return a data set
-- @raise x or y that is not a tensor; numbers of rows that differ
-- @usage
-- local d = lariat.data.dataset { x = lariat.randn(6, 2), y = lariat.ones(6), name = "toy" }
-- print(d:rows { 1, 4 })
local function new(_, fields)
  if type(fields) ~= "table" or not is_array(fields.x) or fields.x.ndim == 0 then
    error("dataset: x must be a sparse matrix, or a tensor of at least one dimension", 2)
  end
  if fields.y ~= nil and not core.is_tensor(fields.y) then
    error(("dataset: y must be a tensor, not a %s"):format(type(fields.y)), 2)
  end
  if fields.y and rows(fields.y) ~= rows(fields.x) then
    error(("dataset: x has %d rows and y has %d"):format(rows(fields.x),
      rows(fields.y) or 0), 2)
  end
  return setmetatable(copy(fields), dataset)
end

-- Texts that are kept beside x go with their rows.
local function text_rows(text, index)
  local out, list = {}, index:totable()
  for name, strings in pairs(text) do
    local part = {}
    for k, row in ipairs(list) do part[k] = strings[row] end
    out[name] = part
  end
  return out
end

-- {from, to}, which may count from the end.
local function as_range(n, range)
  local from, to = range[1] or 1, range[2] or range[1] or n
  if from < 0 then from = n + 1 + from end
  if to < 0 then to = n + 1 + to end
  if from < 1 or to > n or from > to then
    error(("rows: {%d, %d} is not in 1..%d"):format(from, to, n), 4)
  end
  return core.arange(from, to, { dtype = "int64" }), { { from, to } }
end

-- The positions, and the key that cuts them out of a tensor.
local function as_index(d, index)
  if type(index) == "table" then return as_range(#d, index) end
  if not core.is_tensor(index) then
    error(("rows: an int64 tensor, a mask or {from, to} is needed, not a %s"):format(
      type(index)), 3)
  end
  if index.dtype == "bool" then
    index = core.arange(1, #d, { dtype = "int64" })[index]
  end
  return index, index
end

--- The data set of some rows.
function methods.rows(d, index)
  local out = copy(d)
  local list, key = as_index(d, index)
  for _, name in ipairs(aligned(d)) do
    local v = d[name]
    out[name] = core.is_sparse(v) and v:rows(list) or v[key]
  end
  if d.text then out.text = text_rows(d.text, list) end
  return setmetatable(out, dataset)
end

--- The data set with its float tensors in another dtype.
function methods.to(d, dtype)
  local out = copy(d)
  for name, value in pairs(d) do
    if core.is_tensor(value) and value.dtype:find "^float" then out[name] = value:to(dtype) end
  end
  return setmetatable(out, dataset)
end

-- Printing ------------------------------------------------------------------------------

local WIDTH = 88

-- "a, b, c, ..., z (64)"
local function elided(words)
  local out, size = {}, 0
  for k, word in ipairs(words) do
    size = size + #word + 2
    if size > WIDTH - 20 and k < #words then
      return ("%s, ..., %s (%d)"):format(table.concat(out, ", "), words[#words], #words)
    end
    out[k] = word
  end
  return table.concat(out, ", ")
end

local function class_line(d)
  local ok, counts = pcall(core.class_counts, d.y, d.classes and #d.classes)
  if not ok then return "labels" end
  local words = {}
  for k, count in ipairs(counts) do
    words[k] = ("%s %d"):format(d.classes and d.classes[k] or k, count)
  end
  return elided(words)
end

local function number_line(y)
  if y.numel == 0 then return "no rows" end
  local wide = y:to "float64":reshape(y.numel)
  local mean = core.column_moments(wide)
  return ("%.4g .. %.4g, mean %.4g"):format(wide:min():item(), wide:max():item(), mean[1])
end

local function target_line(d)
  local what = d.y.dtype == "int64" and d.y.ndim == 1 and class_line(d) or number_line(d.y)
  return (d.target and d.target .. ": " or "") .. what
end

local function text_line(d)
  local words = {}
  for name in pairs(d.text) do
    words[#words + 1] = ("%s (%s)"):format(name, d.types and d.types[name] or "string")
  end
  table.sort(words)
  return elided(words) .. "; not in x"
end

local function wrapped(label, text)
  local lines, line = {}, ""
  for word in text:gmatch "%S+" do
    if #line + #word + 1 > WIDTH - 10 and line ~= "" then
      lines[#lines + 1], line = line, ""
    end
    line = line == "" and word or line .. " " .. word
  end
  lines[#lines + 1] = line
  return ("  %-8s %s"):format(label, table.concat(lines, "\n" .. (" "):rep(11)))
end

function dataset.__tostring(d)
  local sizes = table.concat(d.x.shape, " x ")
  local out = { ("%s: %s %s"):format(d.name or "data", sizes, d.x.dtype) }
  if d.names then out[#out + 1] = wrapped("features", elided(d.names)) end
  if d.y then out[#out + 1] = wrapped("target", target_line(d)) end
  if d.text and next(d.text) then out[#out + 1] = wrapped("text", text_line(d)) end
  for _, key in ipairs { "source", "license" } do
    if d[key] then out[#out + 1] = wrapped(key, d[key]) end
  end
  return table.concat(out, "\n")
end

function dataset.__len(d) return rows(d.x) end

dataset.__index = methods
dataset.__name = "lariat.dataset"

--- A data set from what a function was given: a data set, or a table of tensors.
-- @local
local function from(owner, d, level)
  if getmetatable(d) == dataset then return d end
  if type(d) ~= "table" or not is_array(d.x) or d.x.ndim == 0 then
    error(("%s: a data set, or a table with the tensor x, is needed, not a %s"):format(owner,
      type(d)), (level or 1) + 2)
  end
  return setmetatable(copy(d), dataset)
end

return setmetatable({ from = from, is = function(d) return getmetatable(d) == dataset end },
  { __call = new })
