--- Diabetes: a regression.
-- @submodule lariat.data

local core = require "lariat.core"
local shipped = require "lariat.data.support.shipped"

--- Diabetes: how far the disease of 442 patients went within a year, from 10 measurements.
--
-- Features: age (years), sex, body mass index, mean blood pressure, and six measurements of the
-- blood serum, in raw units. With `scaled = true` each column has mean 0 and sum of squares 1,
-- as in scikit-learn's `load_diabetes()`.
-- @function diabetes
-- @tparam[opt] table options `dtype`, `scaled`
-- @shape x (442, 10), y (442)
-- @return a data set
-- @source B. Efron, T. Hastie, I. Johnstone, R. Tibshirani 2004, Least Angle Regression,
-- Annals of Statistics 32
-- @usage
-- local d = lariat.data.diabetes { dtype = "float64", scaled = true }
-- print(d.x:sum(), d.names[3])             --> bmi
return shipped {
  name = "diabetes",
  target = "progression",
  options = { "scaled" },
  description = "Disease progression one year after baseline of 442 diabetes patients, from "
    .. "age, sex, body mass index, blood pressure and six blood serum measurements.",
  source = "B. Efron, T. Hastie, I. Johnstone, R. Tibshirani (2004), Least Angle Regression, "
    .. "Annals of Statistics 32, 407-499",
  license = "public",
  finish = function(d, options)
    if not options.scaled then return end
    local dtype, wide = d.x.dtype, d.x:to "float64"
    local mean, std = core.column_moments(wide)
    d.x = core.column_scale(wide, mean, std * math.sqrt(#d)):to(dtype)
  end,
}
