--- MNIST: handwritten digits, in files of their own.
-- @submodule lariat.data

local dataset = require "lariat.data.dataset"
local idx = require "lariat.data.idx"
local options = require "lariat.data.support.options"

local CLASSES = { "0", "1", "2", "3", "4", "5", "6", "7", "8", "9" }

local function exists(path)
  local f = io.open(path, "rb")
  if f then f:close() end
  return f ~= nil
end

-- The path of one of the four files: plain or gzipped, "-idx3" or ".idx3" in its name.
local function find(folders, name)
  for _, folder in ipairs(folders) do
    for _, other in ipairs { name, (name:gsub("%-idx", ".idx")) } do
      for _, ending in ipairs { "", ".gz" } do
        local path = folder .. "/" .. other .. ending
        if exists(path) then return path end
      end
    end
  end
  return nil, ("there is no %s, plain or .gz, in '%s'; get the four files of MNIST and name "
    .. "their folder by path, or by the environment variable LARIAT_DATA")
    :format(name, table.concat(folders, "' or '"))
end

-- A file as a tensor of so many dimensions.
local function read(folders, name, ndim, dtype)
  local path, why = find(folders, name)
  if not path then return nil, why end
  local t, sentence = idx(path, { dtype = dtype })
  if not t then return nil, (sentence:gsub("^data%.idx: ", "")) end
  if t.ndim ~= ndim then
    return nil, ("%s holds %d dimensions, not %d"):format(path, t.ndim, ndim)
  end
  return t
end

local function part(folders, stem, o)
  local x, why = read(folders, stem .. "-images-idx3-ubyte", 3, o.dtype)
  if not x then return nil, why end
  local y, sentence = read(folders, stem .. "-labels-idx1-ubyte", 1, "int64")
  if not y then return nil, sentence end
  local n, h, w = table.unpack(x.shape)
  if y.numel ~= n then
    return nil, ("there are %d pictures and %d labels of '%s'"):format(n, y.numel, stem)
  end
  return dataset {
    x = o.images and x:view(n, 1, h, w) or x:view(n, h * w), y = y:add_(1), target = "digit",
    classes = CLASSES, name = stem == "train" and "mnist" or "mnist (test)",
    description = "Handwritten digits of some 500 writers, 28 x 28 pixels, grey 0..1.",
    source = "Y. LeCun, C. Cortes, C. Burges, The MNIST database of handwritten digits",
  }
end

--- MNIST: 60000 pictures of handwritten digits to train on and 10000 to test, in ten classes.
--
-- The pictures are not inside: the four IDX files (`train-images-idx3-ubyte`,
-- `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte`, `t10k-labels-idx1-ubyte`, plain or
-- gzipped) are read from a folder, which is `path`, or else what the environment variable
-- LARIAT_DATA names, or a folder `mnist` in it. Pixels become floats of 0..1. The class of the
-- digit 0 is 1.
-- @function mnist
-- @tparam[opt] table options `path`; `images` (false): pictures of one channel, for
-- convolutions; `dtype`
-- @shape x (n, 784), or (n, 1, 28, 28); y (n), int64
-- @return the training set and the test set; or nil and a sentence where there are no files
-- @source Y. LeCun, C. Cortes, C. Burges, The MNIST database of handwritten digits
-- @usage
-- local train, test = lariat.data.mnist { path = "data/mnist", images = true }
-- print(train or test)   -- nil and what to do where there is no such folder
return function(given)
  local o = options.check("data.mnist", given, { "path", "images", "dtype" })
  if o.path ~= nil and type(o.path) ~= "string" then
    error(("data.mnist: path is the name of a folder, not a %s"):format(type(o.path)), 2)
  end
  local set = os.getenv "LARIAT_DATA"
  local folders = o.path and { o.path } or set and set ~= "" and { set, set .. "/mnist" }
  if not folders then
    return nil, "data.mnist: no folder is given; get the four files of MNIST and name their "
      .. "folder by path, or by the environment variable LARIAT_DATA"
  end
  local how = { images = o.images, dtype = options.float("data.mnist", o.dtype) }
  local out = {}
  for k, stem in ipairs { "train", "t10k" } do
    local d, why = part(folders, stem, how)
    if not d then return nil, "data.mnist: " .. why end
    d.x:div_(255)
    out[k] = d
  end
  return out[1], out[2]
end
