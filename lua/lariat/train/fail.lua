--- Ends a call of `lariat.fit` with a sentence; the caller's line is added there.
-- @module lariat.train.fail

--- Raises "fit: " and a formatted sentence.
-- @tparam string format
-- @param ...  for string.format
-- @usage local fail = require "lariat.train.fail"
local function fail(...) error("fit: " .. string.format(...), 0) end

return fail
