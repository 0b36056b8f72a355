--- One fit: what `lariat.glm.fit` and `path:at` give.
--
-- Fields: `lambda`, `coef` (p) or (p, k), `intercept` (a number, or a tensor (k)), `df`,
-- `dev_ratio`, `loss` (the mean loss), `value` (the objective), `gap` (duality gap, relative to
-- the objective without coefficients; NaN where there is none), `kkt` (distance of 0 to the
-- subdifferential, relative; at tolerances of 1e-5 or more it may be a bound of that),
-- `iterations`, `status`, `solver`, `names`, `family`, `penalty`. A point between two of a path
-- is interpolated: `status` says so, and it has no certificate.
-- @classmod lariat.glm.Fit

local core = require "lariat.core"
local fail = require "lariat.glm.fail"
local model = require "lariat.glm.model"
local text = require "lariat.glm.text"

local Fit = { __name = "lariat.glm.fit" }
Fit.__index = Fit

--- Predictions for new rows.
-- @function predict
-- @param x  a tensor (m, p), a sparse matrix, or a data set
-- @tparam[opt] table given  `type`: "response" (the default: means, probabilities), "link" or
-- "class"; `offset`
-- @treturn Tensor (m), or (m, k)
-- @usage
-- local fit = lariat.glm.fit { x = x, y = y, penalty = 0.1 * P.l1() }
-- print(fit:predict(x))
function Fit:predict(x, given)
  return fail.call(model.predict, self, x, self.coef, self.intercept, given)
end

--- The coefficients that are not 0, largest first, as a list of `{name, value, class}`.
-- @function table
-- @tparam[opt] integer most  so many of them
-- @treturn {table,...}
-- @usage for _, b in ipairs(lariat.glm.fit { x = x, y = y, lambda = 0.1 }:table()) do
--   print(b.name, b.value)
-- end
function Fit:table(most) return model.largest(self, most) end

--- The same without shrinkage: refits the coefficients that are not 0, free of any penalty.
-- @function debias
-- @treturn lariat.glm.Fit
-- @source Meinshausen 2007, CSDA 52(1)
-- @usage print(lariat.glm.fit { x = x, y = y, lambda = 0.1 }:debias())
function Fit:debias() return fail.call(model.debias, self) end

--- Between the fit (gamma = 1) and its refit without shrinkage (gamma = 0).
-- @function relax
-- @tparam[opt=0] number gamma
-- @treturn lariat.glm.Fit
-- @source Hastie, Tibshirani & Tibshirani 2020, Statist. Sci. 35(4)
-- @usage print(lariat.glm.fit { x = x, y = y, lambda = 0.1 }:relax(0.5))
function Fit:relax(gamma)
  return fail.call(model.relax, self, gamma or 0)
end

--- What it minimised, written out.
-- @function objective
-- @treturn string
-- @usage print(lariat.glm.fit { x = x, y = y, lambda = 0.1 }:objective())
function Fit:objective() return text.objective(self, ("%.6g"):format(self.lambda)) end

function Fit:__tostring() return text.fit(self) end

--- A fit from fields, with what is known of the model.
-- @local
function Fit.new(about, fields)
  for _, key in ipairs(model.ABOUT) do fields[key] = about[key] end
  if core.is_tensor(fields.intercept) and about.k == 1 then
    fields.intercept = fields.intercept:item()
  end
  return setmetatable(fields, Fit)
end

model.Fit = Fit

return Fit
