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
-- local z, y = lariat.randn(4, 3), { 1, 3, 2, 2 }
-- print(lariat.loss.cross_entropy(z, y, { label_smoothing = 0.1 }))

local core = require "lariat.core"

local loss = {}
for name, criterion in pairs(core.loss) do loss[name] = criterion end

--- `(f - y)^2 / 2`.
-- @function squared
-- @tparam tensor prediction  (n, ...)
-- @tparam tensor target  of the same shape
-- @tparam ?table options  see above
-- @treturn tensor
-- @raise when the shapes differ
-- @usage lariat.loss.squared(lariat.ones(3), lariat.zeros(3))

--- `(f - y)^2`.
-- @function mse
-- @usage lariat.loss.mse(lariat.ones(3), lariat.zeros(3), { reduction = "sum" })

--- `|f - y|`.
-- @function mae
-- @usage lariat.loss.mae(lariat.ones(3), lariat.zeros(3))

--- `d^2 / 2` where |d| <= delta, `delta (|d| - delta / 2)` elsewhere, d = f - y. Option:
-- `delta` (1).
-- @function huber
-- @source Huber 1964, Annals of Mathematical Statistics 35(1)
-- @usage lariat.loss.huber { delta = 2 } (lariat.ones(3), lariat.zeros(3))

--- `-log softmax(f)_y` for labels y, `-sum_k y_k log softmax(f)_k` for probabilities y.
-- Options: `label_smoothing` (0), the share of the target spread evenly over the classes;
-- `class_weight`, K numbers, whose sum over the labels divides the mean.
-- @function cross_entropy
-- @shape f (n, K); y int64 (n), or float (n, K)
-- @raise on a label outside 1..K, with its row
-- @usage lariat.loss.cross_entropy(lariat.randn(2, 3), { 1, 3 }, { label_smoothing = 0.1 })

--- `-y log sigmoid(f) - (1 - y) log sigmoid(-f)` for y in [0, 1]. Option: `pos_weight`, a
-- factor of the first term, one number or one a column.
-- @function bce_with_logits
-- @usage lariat.loss.bce_with_logits(lariat.randn(3), { 1, 0, 1 })

--- `-f_y` for log-probabilities f and labels y. Option: `class_weight`, as for cross_entropy.
-- @function nll
-- @usage lariat.loss.nll(lariat.randn(2, 3):log_softmax(2), { 1, 3 })

--- `exp(f) - y f` for counts y. Options: `log_input` (true; false: f is the rate itself),
-- `full` (false; true adds Stirling's approximation of log y!).
-- @function poisson
-- @usage lariat.loss.poisson(lariat.randn(3), { 0, 2, 5 })

--- `max(tau d, (tau - 1) d)`, d = y - f. Option: `tau` (0.5).
-- @function quantile
-- @source Koenker & Bassett 1978, Econometrica 46(1)
-- @usage lariat.loss.quantile(lariat.randn(3), lariat.randn(3), { tau = 0.9 })

--- `max(0, 1 - y f)` for y = -1 or 1.
-- @function hinge
-- @source Cortes & Vapnik 1995, Machine Learning 20
-- @usage lariat.loss.hinge(lariat.randn(3), { 1, -1, 1 })

--- `sum over k other than y of max(0, margin - f_y + f_k)^p / K`. Options: `margin` (1), `p`
-- (1).
-- @function multi_margin
-- @shape f (n, K); y int64 (n)
-- @usage lariat.loss.multi_margin(lariat.randn(2, 3), { 1, 3 })

--- `-(1 - p)^gamma log p`, p the probability of the label: softmax(f)_y for labels (n),
-- sigmoid(f) or 1 - sigmoid(f) for targets in [0, 1] of f's shape. Options: `gamma` (2),
-- `alpha`, a factor; for two classes that of 1, and 1 - alpha that of 0.
-- @function focal
-- @source Lin, Goyal, Girshick, He & Dollar 2017, ICCV
-- @usage lariat.loss.focal(lariat.randn(2, 3), { 1, 3 }, { gamma = 1 })

--- `y (log y - f)` for probabilities y and log-probabilities f. The divergence, a mean over
-- rows, is `reduction = "batchmean"`. Option: `log_target` (false; true: the target holds
-- logarithms).
-- @function kl_div
-- @source Kullback & Leibler 1951, Annals of Mathematical Statistics 22(1)
-- @usage
-- local f, y = lariat.randn(2, 3):log_softmax(2), lariat.randn(2, 3):softmax(2)
-- lariat.loss.kl_div(f, y, { reduction = "batchmean" })

return setmetatable(loss, {
  __index = function(_, name)
    local names = {}
    for known in pairs(core.loss) do names[#names + 1] = known end
    table.sort(names)
    error(("lariat.loss has no '%s'; there are %s"):format(name, table.concat(names, ", ")), 2)
  end,
})
