--- lariat: regularised learning, from tensors to training.
-- The module `require "lariat"` gives: tensors and their functions here, the rest in
-- submodules that load when first used (`lariat.nn`, `lariat.loss`, `lariat.penalty`, ...).
-- @module lariat

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

-- Where the names that are not there yet come from.
local from = {
  hvp = "derivative", jacobian = "derivative", hessian = "derivative",
  check_gradient = "derivative", einsum = "einsum", fit = "train",
}
local modules = {
  nn = true, loss = true, penalty = true, constraint = true, optim = true, schedule = true,
  metric = true, data = true, linalg = true, train = true, plot = true, derivative = true,
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
