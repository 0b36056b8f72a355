--- Breast cancer: a diagnosis.
-- @submodule lariat.data

local shipped = require "lariat.data.support.shipped"

--- Breast cancer Wisconsin (diagnostic): 569 tumours, 30 measurements of cell nuclei.
--
-- For each of ten properties the mean, the standard error and the worst (the mean of the three
-- largest) over the nuclei of a picture. Class 1 is malignant, class 2 benign.
-- @function breast_cancer
-- @tparam[opt] table options `dtype`
-- @shape x (569, 30), y (569), int64
-- @return a data set
-- @source W. Wolberg, O. Mangasarian, N. Street, W. Street 1993, Breast Cancer Wisconsin
-- (Diagnostic), UCI
-- @usage
-- print(lariat.data.breast_cancer())
return shipped {
  name = "breast_cancer",
  target = "diagnosis",
  classes = { "malignant", "benign" },
  description = "Properties of the cell nuclei in pictures of fine needle aspirates of breast "
    .. "masses, and the diagnosis.",
  source = "W. Wolberg, O. Mangasarian, N. Street, W. Street (1993), Breast Cancer Wisconsin "
    .. "(Diagnostic), UCI",
  license = "CC BY 4.0",
}
