--- Bringing features to a common scale.
-- @submodule lariat.data

local core = require "lariat.core"
local dataset = require "lariat.data.dataset"

local scaler = {}
scaler.__index = scaler
scaler.__name = "lariat.scaler"

local function as_float(x)
  return x.dtype:find "^float" and x or x:to(core.default_dtype())
end

local function columns(x)
  return x.shape[1] > 0 and x.numel // x.shape[1] or 0
end

-- x, or the x of a data set, scaled forth or back.
local function map(self, d, back)
  local bare = core.is_tensor(d)
  local owner = "standardize"
  local set = not bare and dataset.from(owner, d, 2)
  local x = as_float(bare and d or set.x):detach()
  if x.ndim == 0 or columns(x) ~= self.mean.numel then
    error(("%s: x %s has %d columns, the scaler was fitted on %d"):format(owner,
      "(" .. table.concat(x.shape, ", ") .. ")", x.ndim > 0 and columns(x) or 0,
      self.mean.numel), 3)
  end
  local out = core.column_scale(x, self.mean, self.std, back)
  if bare then return out end
  local fields = {}
  for key, value in pairs(set) do fields[key] = value end
  fields.x = out
  return dataset(fields)
end

--- (x - mean) / std, of a data set or a tensor.
function scaler:apply(d)
  local out = map(self, d, false)
  return out
end

--- x * std + mean: back to the scale of the data.
function scaler:invert(d)
  local out = map(self, d, true)
  return out
end

function scaler:__tostring()
  return ("scaler of %d columns: apply(d), invert(d); mean, std"):format(self.mean.numel)
end

--- Give every column mean 0 and standard deviation 1, as fitted on the first argument.
--
-- Mean and standard deviation (1/n) are those of the first, and are applied to all. A column
-- of a single value keeps std 1, so it becomes 0. Missing values (NaN) count for nothing and
-- stay. y is left as it is. The scaler has `mean` and `std` (float64), `:apply(d)` and
-- `:invert(d)`.
-- @function standardize
-- @param train a data set, a table with `x`, or a tensor
-- @param ... more of them
-- @shape x (n, p) or (n, ...), then p is the product of the rest
-- @return one new data set (or tensor) for each argument, and the scaler
-- @raise numbers of columns that differ
-- @usage
-- local d = lariat.data.wine()
-- local train, test = lariat.data.split(d, { 0.7, 0.3 }, { seed = 1 })
-- local scaler
-- train, test, scaler = lariat.data.standardize(train, test)
-- print(train.x:mean(1), scaler:invert(train.x)[1])
return function(train, ...)
  local rest = table.pack(...)
  local x = core.is_tensor(train) and train or dataset.from("standardize", train).x
  if x.ndim == 0 or x.shape[1] == 0 then
    error(("standardize: x (%s) has no rows to be fitted on"):format(
      table.concat(x.shape, ", ")), 2)
  end
  local mean, std = core.column_moments(as_float(x):detach())
  local self = setmetatable({ mean = mean, std = std }, scaler)
  local out = { map(self, train, false) }
  for k = 1, rest.n do
    if rest[k] == nil then
      error(("standardize: argument %d is nil"):format(k + 1), 2)
    end
    out[k + 1] = map(self, rest[k], false)
  end
  out[rest.n + 2] = self
  return table.unpack(out, 1, rest.n + 2)
end
