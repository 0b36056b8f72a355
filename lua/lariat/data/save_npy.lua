--- NumPy's files, written.
-- @submodule lariat.data

local core = require "lariat.core"

--- Write a tensor as a .npy file, for `numpy.load`.
--
-- The file is written beside the old one, flushed to the disk and renamed: it is never seen in
-- part.
-- @function save_npy
-- @tparam string path
-- @param t a tensor of any shape and dtype
-- @return true; or nil and a sentence
-- @raise anything but a tensor
-- @source NumPy Enhancement Proposal 1
-- @see npy
-- @usage
-- local path = os.tmpname()
-- assert(lariat.data.save_npy(path, lariat.eye(3)))
-- print(lariat.data.npy(path))
-- os.remove(path)
return function(path, t)
  if type(path) ~= "string" then
    error(("save_npy: the path is a string, not a %s"):format(type(path)), 2)
  end
  if not core.is_tensor(t) then
    error(("save_npy: a %s is not a tensor"):format(type(t)), 2)
  end
  local ok, why = core.npy_save(path, t)
  if not ok then return nil, "save_npy: " .. why end
  return true
end
