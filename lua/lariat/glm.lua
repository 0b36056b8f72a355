--- Sparse linear models: any loss with any penalty, along falling lambdas.
--
-- What is minimised is `mean loss + lambda * penalty`; the intercept is free, nothing is
-- standardised unless asked, and `path:objective()` writes the function out. Every point has
-- its duality gap or its distance from optimality.
--
-- Keys of all three functions, in one table:
--
-- - `x`: a tensor (n, p) or a `lariat.sparse` matrix; `y`: (n), or (n, k) for "mgaussian"; or
--   `data`: a data set with both. `names`: of the columns.
-- - `family`: "gaussian" (the default), "binomial" (two values: 0/1, 1/2, ...), "multinomial"
--   (1..K), "poisson", "huber" (`delta`), "quantile" (`tau`, `width` of smoothing), "hinge"
--   (squared), "cox" (y: times, `status`: 1 event, 0 censored; `ties` "breslow" or "efron"),
--   "mgaussian"; or a loss `function(eta, y) -> losses` of tensors, whose derivatives follow.
-- - `penalty`: of `lariat.penalty` (l1 by default); its own strengths are relative, lambda
--   multiplies all of them. Its `weights` free (0) or exclude (`math.huge`) columns. Groups are
--   of columns, `groups = {{1, 2}, {3}}`; of several responses or classes, coefficients are
--   seen as a layer's weight (k, p), and `by = "input"` ties a column's in all of them.
-- - `lambda`: numbers that fall; or else `n_lambda` (100) of them, log-spaced, from the least
--   at which all is 0 (where none does that, as of l2, from 1000 times l1's) down to its
--   `lambda_min_ratio` (1e-4 where n >= p, else 1e-2); the path then ends early where no
--   deviance is left to explain, or a step explains next to no more (of what moves with every
--   step: convex penalties, losses without kinks), unless `early_end = false`. Constraints
--   alone are one point.
-- - `intercept` (true), `standardize` (false: true divides columns by their 1/n standard
--   deviation, and returns coefficients on the scale of x), `weights` (n), `offset` (n),
--   `lower`, `upper` (numbers, or one for each column).
-- - `tol` (1e-6, of the duality gap relative to the objective without coefficients),
--   `max_iter`, `solver`, `threads`, `progress` (on a terminal).
-- - `compat`: "glmnet", "ncvreg" or "sklearn": their scalings, see `lariat.glm.compat`.
--
-- Not converging is a result, not an error: see `status`. Ctrl-C ends a path with what there
-- is.
-- @module lariat.glm
-- @usage
-- local d = lariat.data.diabetes()
-- local cv = lariat.glm.cv { data = d, standardize = true, seed = 1 }
-- print(cv, cv:at "1se")

local core = require "lariat.core"
local fail = require "lariat.glm.fail"
local ask = require "lariat.glm.ask"
local model = require "lariat.glm.model"
local Path = require "lariat.glm.path"
local Fit = require "lariat.glm.fit"
local CV = require "lariat.glm.cv"

local glm = {}

-- Progress ----------------------------------------------------------------------------------

-- A function that shows each point on a line, at most ten times a second; or nil.
local function watcher(q)
  local shown = q.given.progress
  if shown == nil then shown = core.is_terminal(2) end
  if not shown then return nil end
  local last = os.clock()
  return function(l, lambda, df)
    local now = os.clock()
    if now - last < 0.1 then return end
    last = now
    io.stderr:write(("\rlambda %d: %.4g, %d used\27[K"):format(l, lambda, df))
    q.line_open = true
  end
end

local function told(q, ...)
  if q.line_open then io.stderr:write "\r\27[K" end
  return ...
end

local function solved(q)
  return told(q, ask.solve(q, q.ask, watcher(q)))
end

-- Paths -------------------------------------------------------------------------------------

local function path(given)
  local q = ask.read("glm.path", given, {})
  local exact = given.solver == "lars" and not given.lambda
  local self = Path.new(q, exact and core.glm_knots(q.ask) or solved(q))
  if q.alpha_unit then self.alpha = self.lambda / q.alpha_unit end
  return self
end

--- Fits along falling lambdas.
-- @tparam table given  see the keys above
-- @treturn lariat.glm.Path
-- @raise what does not fit together: shapes, labels, a penalty that no solver takes, NaN in x
-- (by column)
-- @source Friedman, Hastie & Tibshirani 2010, J. Stat. Softw. 33(1); Massias, Gramfort & Salmon
-- 2018, ICML; Bertrand et al. 2022, NeurIPS; Tibshirani et al. 2012, JRSS B 74(2)
-- @usage
-- local path = lariat.glm.path { x = x, y = y, penalty = P.elastic_net { l1_ratio = 0.9 } }
-- print(path)
-- local iris = lariat.data.iris()  -- a column in all classes, or in none
-- print(lariat.glm.path { data = iris, family = "multinomial",
--   penalty = P.group_lasso { by = "input" } })
function glm.path(given) return fail.as("glm.path", path, given) end

-- One fit -----------------------------------------------------------------------------------

local function tensor(list) return core.tensor(list, { dtype = "float64" }) end

-- The lambdas on the way to the one asked for: it alone, or, for penalties that are not convex,
-- a path from where all is 0, so that the fit is that of a path.
local function way(q, lambda)
  if ask.is_convex(q.penalty) then return { lambda } end
  local known, most = pcall(core.glm_lambda_max, q.ask)
  local list = {}
  if known and most > lambda and lambda > 0 then
    for k = 0, 23 do list[#list + 1] = most * (lambda / most) ^ (k / 24) end
  end
  list[#list + 1] = lambda
  return list
end

local function fit(given)
  local q = ask.read("glm.fit", given, {})
  if given.lambda == nil and given.penalty == nil and not q.ask.lambda then
    fail.raise "glm.fit: give a penalty with its strength, as in 0.1 * P.l1(), or lambda"
  end
  local lambda = q.ask.lambda and q.ask.lambda:totable() or { 1 }
  if #lambda > 1 then
    fail.raise("glm.fit: one lambda, not %d; glm.path takes several", #lambda)
  end
  q.ask.lambda, q.ask.early_end = tensor(way(q, lambda[1])), false
  local result = solved(q)
  if #result.status == 0 then fail.raise "glm.fit: interrupted before there was a fit" end
  local self = Fit.new(model.about(q), model.point(result, #result.status))
  if q.alpha_unit then self.alpha = self.lambda / q.alpha_unit end
  return self
end

--- One fit, at the strength of its penalty times `lambda` (1). For penalties that are not
-- convex, the last point of a path from where all is 0.
-- @tparam table given  see the keys above
-- @treturn lariat.glm.Fit
-- @raise as `path`
-- @usage print(lariat.glm.fit { x = x, y = y, penalty = 0.1 * P.mcp { gamma = 3 } })
function glm.fit(given) return fail.as("glm.fit", fit, given) end

--- Chooses lambda by cross-validation. Besides the keys above:
--
-- - `folds`: how many (10); or the number of each row's fold; or folds of `lariat.select`.
--   `seed` (1): of folds that are made here; classes are spread evenly.
-- - `loss`: "deviance" (the default), "mse", "mae", "class" (the error rate), "auc", or a
--   `function(prediction, target, weights) -> number` of rows left out, smaller being better.
-- - `l1_ratio`, `gamma`, `tau`: lists to choose from jointly, on the same folds.
--
-- The lambdas are those of the path of all rows. `mean` and `se` weight folds by their rows, or
-- the weights of these.
-- @tparam table given
-- @treturn lariat.glm.CV
-- @raise as `path`; folds that do not fit
-- @usage
-- local cv = lariat.glm.cv { x = x, y = y, penalty = P.elastic_net(), l1_ratio = { 0.5, 1 } }
-- print(cv, cv.l1_ratio, cv:predict(x, "1se"))
function glm.cv(given)
  return fail.as("glm.cv", CV.run, given, watcher)
end

return glm
