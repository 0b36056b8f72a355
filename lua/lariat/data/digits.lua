--- Digits: small pictures in ten classes.
-- @submodule lariat.data

local shipped = require "lariat.data.support.shipped"

--- Handwritten digits: 1797 pictures of 8 x 8 pixels, grey 0..16, in ten classes.
--
-- Pixels go row by row. The class of the digit 0 is 1: `d.classes[d.y[i]]` is the digit.
-- @function digits
-- @tparam[opt] table options `dtype`
-- @shape x (1797, 64), y (1797), int64
-- @return a data set
-- @source E. Alpaydin, C. Kaynak 1998, Optical Recognition of Handwritten Digits, UCI (its
-- test set)
-- @usage
-- local d = lariat.data.digits()
-- print(d.x[1]:view(8, 8), d.classes[d.y[1]])
return shipped {
  name = "digits",
  target = "digit",
  classes = { "0", "1", "2", "3", "4", "5", "6", "7", "8", "9" },
  description = "Handwritten digits of 13 writers, scanned, as counts of dark pixels in the "
    .. "4 x 4 blocks of a 32 x 32 bitmap.",
  source = "E. Alpaydin, C. Kaynak (1998), Optical Recognition of Handwritten Digits, UCI",
  license = "CC BY 4.0",
}
