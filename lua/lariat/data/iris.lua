--- Iris: three species.
-- @submodule lariat.data

local shipped = require "lariat.data.support.shipped"

--- Iris: 150 flowers of three species, four lengths in centimetres.
-- @function iris
-- @tparam[opt] table options `dtype`
-- @shape x (150, 4), y (150), int64
-- @units cm
-- @return a data set
-- @source R. A. Fisher 1936, The use of multiple measurements in taxonomic problems; UCI, with
-- rows 35 and 38 as in the paper
-- @usage
-- local d = lariat.data.iris()
-- print(d.x:mean(1), d.classes[3])         --> virginica
return shipped {
  name = "iris",
  target = "species",
  classes = { "setosa", "versicolor", "virginica" },
  description = "Lengths and widths of the sepals and petals of 150 irises, in centimetres.",
  source = "R. A. Fisher (1936), The use of multiple measurements in taxonomic problems, "
    .. "Annual Eugenics 7; UCI",
  license = "CC BY 4.0",
}
