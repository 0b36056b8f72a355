--- NumPy's files.
-- @submodule lariat.data

local core = require "lariat.core"
local options = require "lariat.data.support.options"

--- Read a .npy file: an array saved by NumPy.
--
-- Floats keep their width (float16 becomes float32), whole numbers become int64, unless `dtype`
-- says otherwise. Either byte order, C or Fortran order, gzipped or not.
-- @function npy
-- @tparam string path
-- @tparam[opt] table options `dtype`: float32 float64 int64 bool
-- @return a tensor; or nil and a sentence
-- @source NumPy Enhancement Proposal 1
-- @see save_npy
-- @usage
-- local x, why = lariat.data.npy("x.npy")
-- print(x or why)
return function(path, given)
  local o = options.check("data.npy", given, { "dtype" })
  local ok, out, why = pcall(core.npy_read, path, o.dtype)
  if not ok then error("data.npy: " .. out, 2) end
  if out == nil then return nil, "data.npy: " .. why end
  return out
end
