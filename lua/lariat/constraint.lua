--- Constraints: penalties that are 0 where they hold and infinite elsewhere, and act by
-- projection. They are the same objects as in `lariat.penalty` and add to other penalties.
-- @module lariat.constraint
-- @usage local C = lariat.constraint
-- local reg = lariat.penalty.l2(1e-4) + C.max_norm(3)

local P = require "lariat.penalty"

local C = {}
for _, entry in ipairs(P.entries()) do
  if entry.constraint then C[entry.name] = P[entry.name] end
end

return C
