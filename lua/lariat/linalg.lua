--- Linear algebra: factorisations, equations, norms. Matrices are the last two dimensions of
-- a tensor, those before them a batch; everything has derivatives of every order where the
-- mathematics has. Each function is also a method of tensors, but for `norm`, which here
-- knows matrix norms.
--
-- @{svd}(a) gives U, S, V with a = U diag(S) V', thin. @{eigh}(a) gives w, V of the symmetric
-- part. @{qr}(a) has a diagonal of R without negative numbers, which makes it unique.
-- @{cholesky}(a) is lower. @{solve}(a, b) takes a vector or a matrix; @{lstsq}(a, b) too.
-- @{slogdet}(a) gives sign and logarithm. What cannot be factored is an error that says why.
-- @module lariat.linalg

local core = require "lariat.core"
local op = core.op

local linalg = {}

for _, name in ipairs {
  "svd", "singular_values", "eigh", "qr", "cholesky", "solve", "solve_triangular", "lstsq",
  "inv", "pinv", "det", "slogdet", "matrix_rank", "cond", "trace", "diagonal",
} do
  linalg[name] = op[name]
end

-- A value for a message.
local function word(x)
  local plain = type(x) == "number" or type(x) == "string"
  return plain and tostring(x) or "a " .. (core.is_tensor(x) and "tensor" or type(x))
end

local function matrix_norm(a, order)
  if order == "fro" then return a:norm { -2, -1 } end
  if order == "nuc" then return a:singular_values():sum(-1) end
  if order == 2 then return (a:singular_values():max(-1)) end
  if order == -2 then return (a:singular_values():min(-1)) end
  if order == 1 then return (a:abs():sum(-2):max(-1)) end
  if order == math.huge then return (a:abs():sum(-1):max(-1)) end
  error(("norm: no matrix norm is called %s; there are 'fro', 'nuc', 1, 2, -2 and math.huge")
    :format(word(order)), 3)
end

--- The norm of a vector or a matrix.
-- @tparam tensor a a vector, a matrix, or a batch of matrices
-- @param[opt] order of a matrix: "fro" (the default), "nuc" (sum of singular values), 2 and -2
-- (largest and least of them), 1 (largest column sum), math.huge (largest row sum); of a
-- vector: any number from 0 on, 2 by default
-- @treturn tensor a scalar, or one for each matrix
-- @raise for an unknown order
-- @usage local n = lariat.linalg.norm(lariat.eye(3), "nuc")
function linalg.norm(a, order)
  if not core.is_tensor(a) then
    error("norm: the argument must be a tensor, not a " .. type(a), 2)
  end
  if a.ndim < 2 then
    if order == nil then return a:norm() end
    if type(order) ~= "number" then
      error("norm: the order of a vector is a number, not " .. word(order), 2)
    end
    return a:norm { p = order }
  end
  return matrix_norm(a, order or "fro")
end

return linalg
