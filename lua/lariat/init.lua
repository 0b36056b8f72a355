--- lariat: regularised learning, from tensors to training.
-- The module `require "lariat"` gives: tensors and their functions here, the rest in
-- submodules that load when first used (`lariat.nn`, `lariat.loss`, `lariat.penalty`, ...).
--
-- Everything counts from 1; negative indices and dimensions count from the end. A tensor has
-- the fields `shape ndim dtype numel grad requires_grad`; `#t` is its first size. Dtypes are
-- `"float32"` (the default), `"float64"`, `"int64"` and `"bool"`.
--
-- **Operations** are methods and functions alike, `x:exp()` is `lariat.exp(x)`; with a `_` at
-- the end they work in place, `x:add_(y, -0.1)`. Operators `+ - * / // % ^` and unary `-`
-- broadcast by NumPy's rules. `a == b` is identity; `a:eq(b) ne lt le gt ge` compare elements.
-- Reductions take a dimension (or a list, or nothing: all) and `{ keepdim = true }`. A line on
-- each is in `lariat.core.ops()`.
--
-- **Indexing**: `a[2]` is a row (a view; of a vector a number), `a:at(2, 3)` an element,
-- `a[{ {1, 2}, 3 }]` rows 1 to 2 of column 3, `a[{ {}, {2, -1} }]`, `a[mask]`, `a[indices]`;
-- the same on the left of `=`.
-- @module lariat
-- @usage
-- local a = lariat.tensor { { 1, 2, 3 }, { 4, 5, 6 } }
-- print(a[2], a:sum(1), (a * 2):exp())

--- A tensor from a nested table of numbers or booleans, a number, or a copy of a tensor.
-- @function tensor
-- @param values  rectangular nested tables; all booleans give a bool tensor
-- @tparam[opt] table options  `dtype`, `requires_grad`
-- @treturn Tensor
-- @raise where tables of one depth differ in length, naming both
-- @usage local b = lariat.tensor({ 1, 2, 3 }, { dtype = "float64" })

--- Zeros; `ones` and `full` likewise.
-- @function zeros
-- @param ...  sizes, or one list of them; a last table of options: `dtype`, `requires_grad`
-- @treturn Tensor
-- @usage local z, o, f = lariat.zeros(2, 3), lariat.ones { 2, 3 }, lariat.full({ 2, 3 }, 7)

--- From `first` to `last`, both included, as Lua's `for` counts.
-- @function arange
-- @tparam[opt=1] number first
-- @tparam number last
-- @tparam[opt=1] number step
-- @tparam[opt] table options  `dtype`
-- @treturn Tensor
-- @usage print(lariat.arange(1, 10, 2)) --> 1 3 5 7 9

--- `n` points from `first` to `last`, evenly.
-- @function linspace
-- @tparam number first
-- @tparam number last
-- @tparam integer n
-- @treturn Tensor (n)
-- @usage print(lariat.linspace(0, 1, 11))

--- The identity matrix, (n, n) or (n, m).
-- @function eye
-- @tparam integer n
-- @tparam[opt=n] integer m
-- @treturn Tensor
-- @usage print(lariat.eye(3))

--- Uniform on [0, 1); `randn` is standard normal. Stream "sample" (see `seed`).
-- @function rand
-- @param ...  sizes and options as in `zeros`
-- @treturn Tensor
-- @source Philox4x32-10: Salmon et al. 2011, SC'11
-- @usage local u, g = lariat.rand(2, 3), lariat.randn(2, 3, { dtype = "float64" })

--- Integers from `lo` to `hi`, both included, int64.
-- @function randint
-- @tparam integer lo
-- @tparam integer hi
-- @tparam {integer,...} shape
-- @treturn Tensor int64
-- @usage print(lariat.randint(1, 6, { 10 }))

--- A random order of 1..n, int64.
-- @function randperm
-- @tparam integer n
-- @treturn Tensor int64 (n)
-- @usage local order = lariat.randperm(10)

--- Restarts every random stream (initialisation, shuffling, dropout, sampling): same seed,
-- same calls, same bits, for any number of threads. Without an argument: the seed in force.
-- @function seed
-- @tparam[opt] integer seed
-- @treturn ?integer
-- @usage lariat.seed(42)

--- The dtype of new float tensors: read it, or set it.
-- @function default_dtype
-- @tparam[opt] string dtype  "float32" or "float64"
-- @treturn string
-- @usage print(lariat.default_dtype())

--- Derivatives of a scalar with respect to tensors; zeros where it does not depend on one.
-- @function grad
-- @tparam Tensor f  one element, unless `gradient` is given
-- @tparam {Tensor,...} xs
-- @tparam[opt] table options  `create_graph = true`: the results can be differentiated again;
-- `gradient`: what to start from, of f's shape
-- @treturn {Tensor,...} one for each of xs
-- @usage
-- local v = lariat.randn(3, { requires_grad = true })
-- local g = lariat.grad((v ^ 3):sum(), { v }, { create_graph = true })[1]
-- local h = lariat.grad(g:sum(), { v })[1]

--- Calls a function with nothing recorded for derivatives.
-- @function no_grad
-- @tparam function fn
-- @param ...  its arguments
-- @return what it returns; an error leaves as it came
-- @usage lariat.no_grad(function() net:parameter("1.weight"):zero_() end)

--- The number of threads that large operations use: read it, or set it.
-- @function threads
-- @tparam[opt] integer n
-- @treturn integer
-- @usage print(lariat.threads())

local core = require "lariat.core"

local lariat = { version = core.version, core = core }

-- Functions of the core, and every op as a function: lariat.exp(x) is x:exp().
for _, name in ipairs {
  "tensor", "zeros", "ones", "full", "eye", "arange", "linspace", "rand", "randn", "randint",
  "randperm", "seed", "default_dtype", "is_tensor", "grad", "no_grad", "enable_grad",
  "is_grad_enabled", "threads",
} do
  lariat[name] = core[name]
end
for name, op in pairs(core.op) do
  if lariat[name] == nil then lariat[name] = op end
end
lariat.select = nil -- a module, which can be called as the op

-- Where the names that are not there yet come from.
local from = {
  hvp = "derivative", jacobian = "derivative", hessian = "derivative",
  check_gradient = "derivative", einsum = "einsum", fit = "train", compile = "compile",
}
local modules = {
  nn = true, loss = true, penalty = true, constraint = true, optim = true, schedule = true,
  metric = true, data = true, linalg = true, train = true, plot = true, derivative = true,
  sparse = true, glm = true, select = true,
}

return setmetatable(lariat, {
  __index = function(self, name)
    local value
    if from[name] then
      value = require("lariat." .. from[name])[name]
    elseif modules[name] then
      value = require("lariat." .. name)
    end
    rawset(self, name, value)
    return value
  end,
})
