--- What cross-validation is judged by: a number for each fold and lambda, from predictors of
-- rows that were left out.
-- @module lariat.glm.score

local core = require "lariat.core"
local metric = require "lariat.metric"
local response = require "lariat.glm.response"
local raise = require "lariat.glm.fail".raise

local score = {}

-- The target as predictions of type "response" have it: (n) or (n, k), and a last dimension
-- for lambdas.
local function target(q)
  local y = q.ask.y
  if q.family == "multinomial" then
    return y:long():one_hot(q.k):double():unsqueeze(-1)
  end
  return y:unsqueeze(-1)
end

local function predicted(q, eta) return response.from(q, eta, "response") end

-- Losses of rows (n, L): over both classes of two, over all classes of several.
local function distances(q, eta, f)
  local d = f(predicted(q, eta) - target(q))
  if q.k > 1 then d = d:sum(2) end
  return q.family == "binomial" and d * 2 or d
end

local rows = {}

function rows.mse(q, eta) return distances(q, eta, function(d) return d:square() end) end
function rows.mae(q, eta) return distances(q, eta, function(d) return d:abs() end) end

rows["class"] = function(q, eta)
  local y = q.ask.y:unsqueeze(-1)
  if q.k > 1 then return eta:argmax(2):double():ne(y):double() end
  local upper = q.family == "hinge" and y:gt(1.5) or y:gt(0.5)
  return eta:gt(0):ne(upper):double()
end

local function entropy(p) return p * p:clamp(1e-300, 1):log() end

-- glmnet's deviance of classes: probabilities are kept in [1e-5, 1 - 1e-5].
function rows.clipped(q, eta)
  local mean = predicted(q, eta):clamp(1e-5, 1 - 1e-5)
  local y = target(q)
  if q.k > 1 then return (y * mean:log()):sum(2) * -2 end
  local least = entropy(y) + entropy(1 - y)
  return (least - y * mean:log() - (1 - y) * (1 - mean):log()) * 2
end

local LARGER = { auc = true }
local NEEDS_CLASSES = { class = true, auc = true }
local NAMES = { "deviance", "mse", "mae", "auc", "class" }

--- The loss asked for, checked against the family: its name or function.
-- @local
function score.check(q, loss)
  if loss == nil then return "deviance" end
  if type(loss) == "function" then return loss end
  local found = false
  for _, name in ipairs(NAMES) do found = found or name == loss end
  if not found then
    raise("there is no loss '%s'; did you mean '%s'? There are %s, or a function(prediction, "
      .. "target, weights)", tostring(loss), core.nearest(tostring(loss), NAMES),
      table.concat(NAMES, ", "))
  end
  if NEEDS_CLASSES[loss] and not q.labels then
    raise("loss '%s' is for classes; family '%s' has none", loss, q.family)
  elseif loss == "auc" and q.k > 1 then
    raise "loss 'auc' is for two classes"
  elseif q.family == "cox" and loss ~= "deviance" then
    raise("loss '%s': rows of family 'cox' have no loss of their own; use 'deviance'", loss)
  end
  return loss
end

--- Is larger better?
-- @local
function score.larger(loss) return LARGER[loss] or false end

local function weights_of(q)
  return q.ask.weights or core.ones(q.n, { dtype = "float64" })
end

-- Weighted means of row losses (n, L) over folds (K, L), and the weight of each fold (K).
local function fold_means(q, folds, each)
  local member = folds.ids:one_hot(folds.n_folds):double() * weights_of(q):reshape(-1, 1)
  local weight = member:sum(1)
  return member:t():matmul(each) / weight:reshape(-1, 1), weight
end

-- A function of rows left out, one call for each fold and lambda.
local function by_call(q, folds, eta, call)
  local points = eta.shape[eta.ndim]
  local list, weight = {}, {}
  for f = 1, folds.n_folds do
    local _, out = folds:split(f)
    local y = q.ask.y:index_select(1, out)
    local w = weights_of(q):index_select(1, out)
    local own = eta:index_select(1, out)
    weight[f], list[f] = w:sum():item(), {}
    for l = 1, points do
      local v = call(own:select(own.ndim, l):contiguous(), y, w)
      if core.is_tensor(v) and v.numel == 1 then v = v:item() end
      if type(v) ~= "number" then
        raise("loss: the function must return a number, not a %s", type(v))
      end
      list[f][l] = v
    end
  end
  local f64 = { dtype = "float64" }
  return core.tensor(list, f64), core.tensor(weight, f64)
end

-- The share of pairs (one of each class) that the predictor puts in order, by weight.
local function auc(q)
  return function(eta, y, w)
    local upper = y:gt(q.family == "hinge" and 1.5 or 0.5)
    local ones = upper:count_nonzero():item()
    if ones == 0 or ones == y.numel then return 0 / 0 end
    if not q.ask.weights then return metric.auc(eta, upper:double()) end
    local lower = upper:eq(false)
    local d = eta[upper]:reshape(-1, 1) - eta[lower]:reshape(1, -1)
    local wins = d:gt(0):double() + d:eq(0):double() * 0.5
    local pairs_w = w[upper]:reshape(-1, 1) * w[lower]:reshape(1, -1)
    return (wins * pairs_w):sum():item() / pairs_w:sum():item()
  end
end

--- Scores (K, L) and the weight of each fold (K).
-- @tparam table q  the question
-- @tparam Folds folds
-- @param loss  a name or a function
-- @tparam table result  of the core
-- @local
function score.of(q, folds, loss, result)
  if loss == "deviance" then
    local clipped = q.given.compat == "glmnet" and response.is_classes(q.family)
    if not clipped and result.score then return result.score, result.weight end
    loss = clipped and "clipped" or "mse" -- of a gaussian response they are one
  end
  if loss == "auc" then return by_call(q, folds, result.eta, auc(q)) end
  if type(loss) == "function" then
    return by_call(q, folds, result.eta, function(eta, y, w)
      return loss(predicted(q, eta), y, w)
    end)
  end
  return fold_means(q, folds, rows[loss](q, result.eta))
end

--- Means and standard errors over folds of scores (K, L), as glmnet has them: NaN is left out.
-- @local
function score.summary(raw, weight)
  local there = raw:isnan():eq(false)
  local w = weight:reshape(-1, 1) * there:double()
  local e = core.op.where(there, raw, core.zeros(1, { dtype = "float64" }))
  local sum = w:sum(1)
  local mean = (w * e):sum(1) / sum
  local spread = (w * (e - mean):square()):sum(1) / sum
  return mean, (spread / (there:double():sum(1) - 1)):sqrt()
end

return score
