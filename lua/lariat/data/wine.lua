--- Wine: three cultivars.
-- @submodule lariat.data

local shipped = require "lariat.data.support.shipped"

--- Wine: 178 wines from three cultivars, 13 chemical measurements.
-- @function wine
-- @tparam[opt] table options `dtype`
-- @shape x (178, 13), y (178), int64
-- @return a data set
-- @source S. Aeberhard, M. Forina 1991, Wine, UCI
-- @usage
-- print(lariat.data.wine())
return shipped {
  name = "wine",
  target = "cultivar",
  classes = { "class_0", "class_1", "class_2" },
  description = "Chemical analysis of wines grown in the same region of Italy from three "
    .. "cultivars.",
  source = "S. Aeberhard, M. Forina (1991), Wine, UCI",
  license = "CC BY 4.0",
}
