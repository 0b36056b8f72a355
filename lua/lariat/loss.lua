--- Losses: how far a prediction is from its target.
--
-- `lariat.loss.NAME(prediction, target [, options])` gives the loss as a tensor;
-- `lariat.loss.NAME { delta = 2 }` gives the same loss with those options set, to be called
-- later or handed to `lariat.fit`; `print(lariat.loss.NAME)` writes out its formula.
--
-- Options of every call: `reduction` is `"mean"` (the default), `"sum"`, `"none"` or
-- `"batchmean"` (the sum over the number of rows); `weight` holds one number >= 0 a row, and
-- the mean is then `sum_i w_i l_i / sum_i w_i`, `l_i` the mean over the elements of row i.
--
-- Targets are float tensors of the prediction's shape (never broadcast), or for classes int64
-- labels of 1..K for predictions (n, K).
-- @module lariat.loss
-- @usage
-- local lariat = require "lariat"
-- local z, y = lariat.randn(4, 3), lariat.tensor { 1, 3, 2, 2 }
-- print(lariat.loss.cross_entropy(z, y, { label_smoothing = 0.1 }))

local core = require "lariat.core"

local loss = {}
for name, criterion in pairs(core.loss) do loss[name] = criterion end

return setmetatable(loss, {
  __index = function(_, name)
    local names = {}
    for known in pairs(core.loss) do names[#names + 1] = known end
    table.sort(names)
    error(("lariat.loss has no '%s'; there are %s"):format(name, table.concat(names, ", ")), 2)
  end,
})
