--- The scalings of other packages: what they minimise, written in lariat's terms.
--
-- - `"glmnet"`: `lambda`, `alpha` (1), `penalty_factor` (rescaled to sum to p), `grouped` for
--   multinomial; standardises unless told otherwise. Of a gaussian response the ridge part is
--   divided by the 1/n standard deviation of y (about 0 without an intercept; not of several
--   responses), in cross-validation that of each fold's rows. With `alpha` below 0.001 the grid
--   begins where that of 0.001 would. The deviance of classes is that of probabilities within
--   [1e-5, 1 - 1e-5].
-- - `"ncvreg"`: `lambda`, `alpha` (1), `penalty_factor` (as given); standardises always; the
--   penalty is MCP with gamma 3 unless one is given; the grid ends at 0.001 (n > p) or 0.05.
-- - `"sklearn"`: `alpha`, `l1_ratio`, or `C` for classes, in place of lambda. gaussian: Lasso
--   and ElasticNet, or Ridge with `penalty = P.l2()`, whose alpha is n lambda. binomial and
--   multinomial: LogisticRegression, C = 1/(n lambda), ridge unless told otherwise. poisson:
--   PoissonRegressor. quantile: QuantileRegressor. huber: HuberRegressor with `scale`, the
--   sigma it found, and `epsilon` (1.35).
-- @module lariat.glm.compat

local core = require "lariat.core"
local P = require "lariat.penalty"
local values = require "lariat.glm.values"
local raise = require "lariat.glm.fail".raise

-- Shares ----------------------------------------------------------------------------------

-- strength (l1 |w|_1 + l2/2 |w|^2) as one term.
local function net(l1, l2)
  if l2 == 0 then return P.l1(l1) end
  if l1 == 0 then return P.l2(l2) end
  return P.elastic_net { lambda = l1 + l2, l1_ratio = l1 / (l1 + l2) }
end

-- The share of l1 in a penalty that is an elastic net, and its strength and weights.
local function mix(owner, penalty)
  local terms = penalty:describe()
  local t = terms[1]
  local share = ({ l1 = 1, l2 = 0, elastic_net = t.l1_ratio })[t.kind]
  if #terms > 1 or not share then
    raise("compat '%s' takes l1, l2 or elastic_net, not %s", owner,
      #terms > 1 and "a sum" or t.kind)
  end
  return share, t.lambda * t.scale, t.options.weights
end

local function share_of(owner, key, v)
  if v ~= nil and (type(v) ~= "number" or not (v >= 0 and v <= 1)) then
    raise("compat '%s': %s = %s; it lies in [0, 1]", owner, key, tostring(v))
  end
  return v
end

local function total(q)
  return q.ask.weights and q.ask.weights:sum():item() or q.n
end

-- The 1/n standard deviation of y less its offset: about its mean, or about 0 where there is
-- no intercept.
local function deviation(q, w)
  local y = q.ask.offset and q.ask.y - q.ask.offset or q.ask.y
  w = w or core.ones(q.n, { dtype = "float64" })
  w = w / w:sum()
  if q.ask.intercept ~= false then y = y - (w * y):sum() end
  return (y:square() * w):sum():item() ^ 0.5
end

local function factor_of(q, given, weights)
  local f = given.penalty_factor
  if f == nil then return weights end
  if weights then raise "penalty_factor and the penalty's own weights are one thing" end
  f = values.columns("penalty_factor", f, q.p)
  if f:lt(0):any():item() then raise "penalty_factor: none may be negative" end
  return f
end

-- glmnet ----------------------------------------------------------------------------------

local glmnet = { keys = { "alpha", "penalty_factor", "grouped" } }

-- Excluded columns count as 1 in the sum.
local function rescaled(f, p)
  local sum = core.op.where(f:isinf(), core.ones(p, { dtype = "float64" }), f):sum():item()
  if sum == 0 then raise "penalty_factor: all are 0" end
  return f * (p / sum)
end

-- Are the coefficients of a column one group?
local function is_grouped(q, given)
  if q.family == "mgaussian" then return true end
  return q.family == "multinomial" and (given.grouped or
    q.penalty:describe()[1].kind == "group_lasso")
end

-- l1 sum_j |b_j|_2 + l2/2 |b|^2 over the k coefficients of each column.
local function groups(q, l1, l2)
  if l1 == 0 then return P.l2(l2) end
  local penalty = l1 / q.k ^ 0.5 * P.group_lasso { by = "input" }
  return l2 > 0 and penalty + P.l2(l2) or penalty
end

-- Where the grid begins when there is next to no l1.
local function start(q, strength, alpha, grouped)
  if q.ask.lambda or alpha >= 1e-3 then return end
  local l1 = 1e-3 * strength
  local a = { penalty = grouped and groups(q, l1, 0) or P.l1(l1) }
  for key, v in pairs(q.ask) do a[key] = a[key] or v end
  q.ask.lambda_max = core.glm_lambda_max(a)
end

function glmnet.translate(q, given)
  local a, share, strength, weights = q.ask, 1, 1, nil
  local grouped = is_grouped(q, given)
  if q.penalty:describe()[1].kind ~= "group_lasso" or not grouped then
    share, strength, weights = mix("glmnet", q.penalty)
  end
  local alpha = share_of("glmnet", "alpha", given.alpha) or share
  local f = factor_of(q, given, weights)
  if f then a.factor = rescaled(f, q.p) end
  a.standardize = a.standardize ~= false
  start(q, strength, alpha, grouped)
  local l1, l2 = strength * alpha, strength * (1 - alpha)
  if grouped then
    q.penalty = groups(q, l1, l2)
  elseif q.family ~= "gaussian" or alpha == 1 then
    q.penalty = net(l1, l2)
  else -- which a fold of cross-validation does by its own rows
    function q.penalty_of(w)
      local sd = deviation(q, w)
      return net(l1, sd > 0 and l2 / sd or 0)
    end
    q.penalty = q.penalty_of(a.weights)
  end
end

-- ncvreg ----------------------------------------------------------------------------------

local ncvreg = { keys = { "alpha", "penalty_factor" } }

function ncvreg.translate(q, given)
  local a = q.ask
  if a.standardize == false then raise "compat 'ncvreg': it standardises always" end
  a.standardize = true
  if not given.penalty then q.penalty = P.mcp { gamma = 3 } end
  local alpha = share_of("ncvreg", "alpha", given.alpha) or 1
  if alpha == 0 then raise "compat 'ncvreg': alpha = 0; it must be above 0" end
  if alpha < 1 then q.penalty = alpha * q.penalty + P.l2(1 - alpha) end
  a.factor = factor_of(q, given, nil)
  a.lambda_min_ratio = a.lambda_min_ratio or (q.n > q.p and 1e-3 or 0.05)
end

-- scikit-learn ----------------------------------------------------------------------------

local sklearn = { keys = { "alpha", "l1_ratio", "C", "scale", "epsilon" } }

-- What multiplies the strength that they write to give lambda.
local function unit(q, share, given)
  if q.family == "huber" then
    local scale = given.scale
    if type(scale) ~= "number" or not (scale > 0) then
      raise "compat 'sklearn', huber: scale is needed, the scale_ that HuberRegressor found"
    end
    q.family_params = { delta = (given.epsilon or 1.35) * scale }
    q.ask.family_params = q.family_params
    return scale / total(q)
  end
  return q.family == "gaussian" and share == 0 and 1 / total(q) or 1
end

local function strengths(q, share, given)
  if q.ask.lambda then raise "compat 'sklearn': give alpha or C in place of lambda" end
  if given.C ~= nil then
    if not q.labels then raise("C is for classes; family '%s' takes alpha", q.family) end
    return 1 / (values.tensor("C", type(given.C) == "number" and { given.C } or given.C)
      :double() * total(q)), 1
  end
  if q.labels then raise("compat 'sklearn', %s: give C", q.family) end
  local u = unit(q, share, given)
  if given.alpha == nil then return nil, u end
  return values.lambdas(given.alpha) * u, u
end

function sklearn.translate(q, given)
  local ridge_first = { binomial = true, multinomial = true, poisson = true, huber = true }
  local share, strength, weights = ridge_first[q.family] and 0 or 1, 1, nil
  if given.penalty then share, strength, weights = mix("sklearn", q.penalty) end
  share = share_of("sklearn", "l1_ratio", given.l1_ratio) or share
  q.ask.factor = weights
  local lambda, u = strengths(q, share, given)
  q.ask.lambda = values.lambdas(lambda)
  q.alpha_unit = u
  q.penalty = net(strength * share, strength * (1 - share))
end

-- -----------------------------------------------------------------------------------------

local compat = { glmnet = glmnet, ncvreg = ncvreg, sklearn = sklearn }

local finder = {}

--- The translator of that name.
-- @local
function finder.find(name)
  local found = type(name) == "string" and compat[name]
  if not found then
    raise("compat = '%s'; there are glmnet, ncvreg, sklearn", tostring(name))
  end
  return found
end

return finder
