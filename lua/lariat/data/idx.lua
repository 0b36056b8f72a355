--- IDX files.
-- @submodule lariat.data

local core = require "lariat.core"
local options = require "lariat.data.support.options"

--- Read an IDX file, plain or gzipped: the format of MNIST.
--
-- Whole numbers come as int64 in one dimension (labels; the classes of MNIST are then
-- `idx(...) + 1`) and as floats in more (pictures), floats as they are, unless `dtype` says
-- otherwise.
-- @function idx
-- @tparam string path
-- @tparam[opt] table options `dtype`: float32 float64 int64 bool
-- @return a tensor; or nil and a sentence
-- @source Y. LeCun, C. Cortes, C. Burges, The MNIST database of handwritten digits
-- @usage
-- local x, why = lariat.data.idx("train-images-idx3-ubyte.gz")
-- print(x and x.shape[1] or why)
return function(path, given)
  local o = options.check("data.idx", given, { "dtype" })
  local ok, out, why = pcall(core.idx_read, path, o.dtype)
  if not ok then error("data.idx: " .. out, 2) end
  if out == nil then return nil, "data.idx: " .. why end
  return out
end
