--- Metrics: how good predictions are, as one number (or a table of counts).
-- Each is `metric.name(prediction, target [, options])`. Predictions of classes are scores
-- `(n, K)` with int64 labels 1..K, or, for two classes, one score a row (positive: class 1)
-- with targets 0/1, -1/1 or bool. Metrics are computed in float64.
-- @module lariat.metric

local core = require "lariat.core"
local options = require "lariat.options"

local metric = {}

-- Larger is better for these; smaller for the others.
metric.larger_is_better = { accuracy = true, top_k = true, r2 = true, auc = true, f1 = true }

local function same_rows(name, p, t)
  if p.ndim == 0 or t.ndim == 0 or #p ~= #t then
    error(("%s: %s predictions for %s targets"):format(name, p.ndim > 0 and #p or "no",
      t.ndim > 0 and #t or "no"), 3)
  end
end

local function flat(t) return t:detach():double():reshape(-1) end

-- Both as float64 vectors of one length.
local function pair(name, p, t)
  if p.numel ~= t.numel then
    error(("%s: prediction and target have %d and %d elements"):format(
      name, p.numel, t.numel), 3)
  end
  return flat(p), flat(t)
end

-- Is a prediction one score a row?
local function binary(p) return p.ndim == 1 or p.ndim == 2 and p.shape[2] == 1 end

-- Predicted labels and true ones as int64: 1..K, or 0/1 for one score a row.
local function labels(name, p, t, threshold)
  same_rows(name, p, t)
  if binary(p) then
    return flat(p):gt(threshold or 0):long(), flat(t):gt(0):long()
  end
  if t.ndim == 2 and t.shape[2] == p.shape[2] and p.shape[2] > 1 then t = t:argmax(2) end
  return p:detach():argmax(2), t:reshape(-1):long()
end

--- Share of rows whose largest score is at the label.
-- @tparam Tensor p  scores (n, K), or (n) or (n, 1) for two classes
-- @tparam Tensor t  labels (n)
-- @tparam[opt] table opts  threshold = 0 for one score a row
-- @treturn number in [0, 1]
-- @usage lariat.metric.accuracy(net:predict(x), y)
function metric.accuracy(p, t, opts)
  opts = options.check("accuracy", opts, { "threshold" })
  local a, b = labels("accuracy", p, t, opts.threshold)
  return a:eq(b):double():mean():item()
end

--- Share of rows whose label is among the k largest scores.
-- @tparam Tensor p  scores (n, K)
-- @tparam Tensor t  labels (n)
-- @tparam[opt] table opts  k = 5
-- @treturn number in [0, 1]
-- @usage lariat.metric.top_k(scores, labels, { k = 3 })
function metric.top_k(p, t, opts)
  opts = options.check("top_k", opts, { "k" })
  same_rows("top_k", p, t)
  local k = math.min(opts.k or 5, p.shape[2])
  local _, best = p:detach():topk(k, 2)
  local hit = best:eq(t:reshape(-1, 1)):long():sum(2):gt(0)
  return hit:double():mean():item()
end

--- Mean absolute error.
-- @tparam Tensor p  predictions
-- @tparam Tensor t  targets, as many
-- @treturn number
-- @usage lariat.metric.mae(net:predict(x), y)
function metric.mae(p, t)
  p, t = pair("mae", p, t)
  return (p - t):abs():mean():item()
end

--- Mean squared error.
-- @tparam Tensor p  predictions
-- @tparam Tensor t  targets, as many
-- @treturn number
-- @usage lariat.metric.mse(net:predict(x), y)
function metric.mse(p, t)
  p, t = pair("mse", p, t)
  return (p - t):square():mean():item()
end

--- Root of the mean squared error.
-- @tparam Tensor p  predictions
-- @tparam Tensor t  targets, as many
-- @treturn number
-- @usage lariat.metric.rmse(net:predict(x), y)
function metric.rmse(p, t) return math.sqrt(metric.mse(p, t)) end

--- Coefficient of determination, 1 - SSE / SST; several columns are averaged.
-- @tparam Tensor p  predictions (n) or (n, K)
-- @tparam Tensor t  targets of that shape
-- @treturn number at most 1; NaN for a constant target
-- @usage lariat.metric.r2(net:predict(x), y)
function metric.r2(p, t)
  pair("r2", p, t)
  local n = #t
  p, t = p:detach():double():reshape(n, -1), t:detach():double():reshape(n, -1)
  local sse = (p - t):square():sum(1)
  local sst = (t - t:mean(1, { keepdim = true })):square():sum(1)
  return (1 - sse / sst):mean():item()
end

--- Area under the ROC curve: the chance that a positive scores above a negative, ties half.
-- @tparam Tensor p  one score a row, or (n, 2): the second column less the first
-- @tparam Tensor t  0/1, -1/1, bool, or labels 1/2 for (n, 2)
-- @treturn number in [0, 1]; NaN when one class is missing
-- @usage lariat.metric.auc(net:predict(x), y)
function metric.auc(p, t)
  same_rows("auc", p, t)
  local positive
  if binary(p) then
    positive = flat(t):gt(0)
  elseif p.shape[2] == 2 then
    p, positive = p[{ {}, 2 }] - p[{ {}, 1 }], flat(t):eq(2)
  else
    error(("auc: needs one score a row or two, not %d"):format(p.shape[2]), 2)
  end
  local score, order = flat(p):sort(1)
  local s, pos = score:totable(), positive:long():index_select(1, order):totable()
  local n, np, rank_sum, i = #s, 0, 0.0, 1
  while i <= n do -- ties share their mean rank
    local j = i
    while j < n and s[j + 1] == s[i] do j = j + 1 end
    for k = i, j do
      if pos[k] == 1 then np, rank_sum = np + 1, rank_sum + (i + j) / 2 end
    end
    i = j + 1
  end
  return (rank_sum - np * (np + 1) / 2) / (np * (n - np))
end

--- Counts (K, K): row the true class, column the predicted one.
-- @tparam Tensor p  scores (n, K), or one score a row
-- @tparam Tensor t  labels
-- @treturn Tensor int64 (K, K); (2, 2) for one score a row, negatives first
-- @usage print(lariat.metric.confusion(net:predict(x), y))
function metric.confusion(p, t)
  local two = binary(p)
  local a, b = labels("confusion", p, t)
  local k = two and 2 or p.shape[2]
  if two then a, b = a + 1, b + 1 end
  local counts = core.zeros(k, k, { dtype = "int64" })
  local pa, pb = a:totable(), b:totable()
  local rows = counts:totable()
  for i = 1, #pa do
    if not rows[pb[i]] then
      error(("confusion: label %d in row %d is not in 1..%d"):format(pb[i], i, k), 2)
    end
    rows[pb[i]][pa[i]] = rows[pb[i]][pa[i]] + 1
  end
  return core.tensor(rows, { dtype = "int64" })
end

--- F1: 2 TP / (2 TP + FP + FN); averaged over classes when there are several.
-- @tparam Tensor p  scores (n, K), or one score a row
-- @tparam Tensor t  labels
-- @tparam[opt] table opts  average = "macro", "micro" or "weighted" (by class size)
-- @treturn number in [0, 1]; a class with no cases counts 0
-- @usage lariat.metric.f1(net:predict(x), y)
function metric.f1(p, t, opts)
  opts = options.check("f1", opts, { "average" })
  local c = metric.confusion(p, t):totable()
  local average, total, sum = opts.average or "macro", 0, 0
  local tp_all, n_all, score, size = 0, 0, {}, {}
  for k = 1, #c do
    local row, col = 0, 0
    for j = 1, #c do row, col = row + c[k][j], col + c[j][k] end
    score[k] = row + col > 0 and 2 * c[k][k] / (row + col) or 0
    size[k], tp_all, n_all = row, tp_all + c[k][k], n_all + row
  end
  if binary(p) then return score[2] end
  if average == "micro" then return tp_all / n_all end
  for k = 1, #c do
    local w = average == "weighted" and size[k] or 1
    sum, total = sum + w * score[k], total + w
  end
  return sum / total
end

--- A metric by what the user wrote: a name, or a function.
-- @tparam string|function which
-- @treturn function (prediction, target) -> number
-- @treturn string its name
-- @raise when there is no such metric
-- @usage metric.find("accuracy")
function metric.find(which)
  if type(which) == "function" then return which, "metric" end
  local known = { "accuracy", "top_k", "mae", "mse", "rmse", "r2", "auc", "f1", "confusion" }
  for _, name in ipairs(known) do
    if name == which then return metric[name], name end
  end
  error(("fit: unknown metric '%s'; did you mean '%s'?"):format(tostring(which),
    core.nearest(tostring(which), known)), 0)
end

return metric
