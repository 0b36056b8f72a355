--- Sparse matrices: what a design matrix is when most of its entries are 0.
--
-- A matrix is kept in compressed columns, float32 or float64, and does not change. It is what
-- `lariat.glm` takes as `x`. Fields: `s.shape`, `s.nnz` (stored entries), `s.dtype`, `s.ndim`;
-- `#s` is the number of rows. Methods:
--
-- - `s:dense()`: the same as a tensor.
-- - `s:rows(index)`: some rows, by an int64 tensor of their numbers.
-- - `s:mv(v)`, `s:tmv(v)`: products with a vector, of the matrix and of its transpose; float64.
-- - `s:parts()`: pointers, indices and values as three tensors, counted from 0.
-- @module lariat.sparse
-- @usage
-- local s = lariat.sparse.csc(lariat.tensor { { 1, 0 }, { 0, 2 } })
-- print(s, s:mv(lariat.ones(2)))

local core = require "lariat.core"
local options = require "lariat.options"

local sparse = {}

local function as_tensor(name, key, value, dtype)
  if type(value) == "table" then return core.tensor(value, { dtype = dtype }) end
  if core.is_tensor(value) then return value end
  error(("%s: %s must be a tensor or a list, not a %s"):format(name, key, type(value)), 4)
end

local known = { "data", "indices", "indptr", "shape", "base", "dtype" }

-- csc and csr differ in what is compressed: dimension `major` of the shape.
local function make(name, given, major)
  if core.is_tensor(given) then return core.sparse_dense(given) end
  if type(given) ~= "table" then
    error(("%s takes a matrix, or a table of data, indices, indptr and shape, not a %s")
      :format(name, type(given)), 3)
  end
  local o = options.check(name, given, known)
  local base = o.base or 1
  local data = as_tensor(name, "data", o.data, o.dtype)
  if o.dtype then data = data:to(o.dtype) end
  local indices = as_tensor(name, "indices", o.indices, "int64"):to "int64" - base
  local indptr = as_tensor(name, "indptr", o.indptr, "int64"):to "int64" - base
  local shape = o.shape
  if type(shape) ~= "table" or math.type(shape[1]) ~= "integer"
    or math.type(shape[2]) ~= "integer" then
    error(name .. ": shape must be a list of two integers, { rows, columns }", 3)
  end
  local n, p = shape[1], shape[2]
  local ok, made = pcall(core.sparse_from, n, p, indptr, indices, data, major == 1)
  if not ok then error(("%s: %s"):format(name, made), 3) end
  return made
end

--- A matrix from its columns, or of the entries of a tensor that are not 0.
--
-- `indptr` (p + 1) says where the entries of each column begin among `indices` (their rows)
-- and `data`; entries of one column may come in any order; a place that comes twice adds up.
-- All are tensors or lists, counted from 1, or from 0 with `base = 0` as in SciPy.
-- @function csc
-- @param given a matrix, or a table of `data indices indptr shape`, and `base`, `dtype`
-- @return a sparse matrix
-- @raise lengths that do not fit, pointers that fall, indices out of range: which one
-- @usage
-- print(lariat.sparse.csc { data = { 1, 2, 3 }, indices = { 1, 3, 2 }, indptr = { 1, 3, 4 },
--   shape = { 3, 2 } }:dense())
function sparse.csc(given) return make("sparse.csc", given, 2) end

--- The same from rows: `indptr` (n + 1) compresses rows, `indices` are columns.
-- @function csr
-- @param given a matrix, or a table as for `csc`
-- @return a sparse matrix (in compressed columns, as all are)
-- @raise as `csc`
-- @usage
-- print(lariat.sparse.csr { data = { 1, 2, 3 }, indices = { 0, 1, 1 }, indptr = { 0, 2, 3 },
--   shape = { 2, 2 }, base = 0 })
function sparse.csr(given) return make("sparse.csr", given, 1) end

return sparse
