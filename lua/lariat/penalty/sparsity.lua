--- Penalties of single weights: shrinkage and sparsity; see @{lariat.penalty}.
-- @submodule lariat.penalty

local constructor = require "lariat.core".penalty.constructor

local P = {}

--- The absolute value, `lambda |w|_1`: exact zeros. Prox: soft thresholding.
-- @function l1
-- @param options lambda, or a table with `lambda weights mode`
-- @return a penalty
-- @source Tibshirani 1996, JRSS B 58(1)
-- @usage local reg = lariat.penalty.l1(0.01):on("1.weight")
P.l1 = constructor("l1", "lambda")

--- Half the square, `lambda/2 |w|^2`. Smooth: goes into the gradient, as what PyTorch's SGD
-- calls weight_decay does.
-- @function l2
-- @param options lambda, or a table with `lambda weights`
-- @return a penalty
-- @source Hoerl & Kennard 1970, Technometrics 12(1)
-- @usage local reg = 1e-4 * lariat.penalty.l2()
P.l2 = constructor("l2", "lambda")

--- The elastic net, `lambda (l1_ratio |w|_1 + (1 - l1_ratio)/2 |w|^2)`; both parts act in one
-- proximal step.
-- @function elastic_net
-- @param options lambda, or a table with `lambda l1_ratio (0.5) weights mode`
-- @return a penalty
-- @source Zou & Hastie 2005, JRSS B 67(2)
-- @usage local reg = lariat.penalty.elastic_net { lambda = 0.1, l1_ratio = 0.9 }
P.elastic_net = constructor("elastic_net", "lambda")

--- The number of coordinates that are not 0, `lambda |w|_0`. Prox: hard thresholding, what is
-- above `sqrt(2 step lambda)` stays as it is. Not convex: it keeps the zeros it finds.
-- @function l0
-- @param options lambda, or a table with `lambda weights mode`
-- @return a penalty
-- @source Blumensath & Davies 2008, J. Fourier Anal. Appl. 14(5-6)
-- @usage local reg = lariat.penalty.l0(0.01)
P.l0 = constructor("l0", "lambda")

--- Powers below 1, `lambda sum_j |w_j|^q` for q = 1/2 and q = 2/3, where the prox has a closed
-- form. Not convex.
-- @function lq
-- @param options lambda, or a table with `lambda q (0.5) weights mode`
-- @return a penalty; another q raises
-- @source Xu et al. 2012, IEEE TNNLS 23(7); Cao, Sun & Xu 2013, J. Vis. Commun. Image R. 24(1)
-- @usage local reg = lariat.penalty.lq { lambda = 0.1, q = 2 / 3 }
P.lq = constructor("lq", "lambda")

--- The minimax concave penalty: its slope falls from lambda at 0 to none at `gamma lambda`, so
-- large weights are not shrunk. lambda is a place too: `2 * P.mcp(0.1)` is `P.mcp(0.2)`. Prox:
-- the firm threshold while the step is below gamma, else hard thresholding at
-- `lambda sqrt(gamma step)`, which is then the global minimum.
-- @function mcp
-- @param options lambda, or a table with `lambda gamma (3) weights mode`
-- @return a penalty
-- @source Zhang 2010, Ann. Statist. 38(2); Breheny & Huang 2011, Ann. Appl. Stat. 5(1)
-- @usage local reg = lariat.penalty.mcp { lambda = 0.1, gamma = 3 }
P.mcp = constructor("mcp", "lambda")

local function scad_options(options)
  if options.gamma == nil then return options end
  if options.a ~= nil then
    error("scad: a and gamma are one parameter; give one of them", 3)
  end
  local own = {}
  for k, v in pairs(options) do own[k] = v end
  own.a, own.gamma = own.gamma, nil
  return own
end

--- The smoothly clipped absolute deviation: slope lambda up to lambda, then falling to none at
-- `a lambda`. lambda is a place too: `2 * P.scad(0.1)` is `P.scad(0.2)`. The prox is the global
-- minimum at any step.
-- @function scad
-- @param options lambda, or a table with `lambda a (3.7, also called gamma) weights mode`
-- @return a penalty; a of 2 or less raises
-- @source Fan & Li 2001, JASA 96(456); Breheny & Huang 2011, Ann. Appl. Stat. 5(1)
-- @usage local reg = lariat.penalty.scad { lambda = 0.1, a = 3.7 }
P.scad = constructor("scad", "lambda", nil, scad_options)

--- Logarithms, `lambda sum_j log(1 + |w_j|/eps)`: what l1 reweighted again and again reaches.
-- The prox compares both local minima, at any step.
-- @function log_sum
-- @param options lambda, or a table with `lambda eps (0.1) weights mode`
-- @return a penalty
-- @source Candes, Wakin & Boyd 2008, J. Fourier Anal. Appl. 14(5-6)
-- @usage local reg = lariat.penalty.log_sum { lambda = 0.05, eps = 0.1 }
P.log_sum = constructor("log_sum", "lambda")

--- The absolute value up to theta, `lambda sum_j min(|w_j|, theta)`; beyond, weights are free.
-- @function capped_l1
-- @param options lambda, or a table with `lambda theta (1) weights mode`
-- @return a penalty
-- @source Zhang 2010, JMLR 11
-- @usage local reg = lariat.penalty.capped_l1 { lambda = 0.1, theta = 0.5 }
P.capped_l1 = constructor("capped_l1", "lambda")

--- Huber's function of each weight: half the square up to delta, straight beyond. Smooth: goes
-- into the gradient.
-- @function huber
-- @param options lambda, or a table with `lambda delta (1) weights`
-- @return a penalty
-- @source Huber 1964, Ann. Math. Statist. 35(1)
-- @usage local reg = lariat.penalty.huber { lambda = 0.1, delta = 0.2 }
P.huber = constructor("huber", "lambda")

--- SLOPE, sorted l1: `lambda sum_k beta_k |w|_(k)`, the k-th largest magnitude times the k-th
-- weight, which fall. Coordinates that are alike become equal. `sequence = "bh"`: `beta_k =
-- Phi^-1(1 - k q/(2 p))`, after Benjamini and Hochberg; `"oscar"`: `beta_k = 1 + theta (p -
-- k)`. The prox is exact, in O(p log p). It knows no metric: see `lariat.optim`.
-- @function slope
-- @param options lambda, or a table with `lambda sequence ("bh") q (0.1) theta (0.1) mode`, and
-- `weights`: as many as coordinates, falling, in place of the sequence
-- @return a penalty; weights that rise raise
-- @source Bogdan et al. 2015, Ann. Appl. Stat. 9(3); Bondell & Reich 2008, Biometrics 64(1)
-- @usage local reg = lariat.penalty.slope { lambda = 0.05, q = 0.1 }
P.slope = constructor("slope", "lambda")

--- Hoyer-square, `lambda |w|_1^2/|w|_2^2` of each parameter: between 1 and the number of its
-- coordinates, the same at any scale. It acts by its gradient, as in the literature, which
-- pulls small weights to 0 and pushes large ones up; prune what is left. Not convex. The prox,
-- for use by hand, is the global minimum, in O(p log p); it knows no metric.
-- @function hoyer
-- @param options lambda, or a table with `lambda`
-- @return a penalty
-- @source Yang, Wen & Li 2020, ICLR; Hoyer 2004, JMLR 5
-- @usage local reg = lariat.penalty.hoyer(1e-4)
P.hoyer = constructor("hoyer", "lambda")

return P
