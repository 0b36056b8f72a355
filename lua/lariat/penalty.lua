--- Penalties: what is added to the loss, `J = mean loss + sum_k lambda_k Omega_k(parameters)`.
--
-- A penalty is a value: `0.01 * P.l1() + P.l2(1e-4):on("4.*")` makes new ones and changes
-- none. Unless `:on` says otherwise it covers weights, never biases or normalisation gains.
-- What is smooth goes into the gradient; what is not acts by a proximal step after it, in the
-- optimiser's metric, which is where exact zeros come from. `print(penalty)` writes out the
-- function, what acts how, and how proxes on the same parameters compose.
--
-- Every constructor takes a number (its lambda, or its bound) or one table with the keys
-- `lambda`, `weights`, `by`, `groups`, `mode` as far as they apply.
--
-- - `lambda`: a number, not negative, 1 by default; or `function(state) -> number`, called
--   before every step with the loop's state (`state.step`, `state.epoch`, ...).
-- - `weights`: a tensor of the parameter's shape that scales lambda by coordinate: 0 is free,
--   `math.huge` excludes (the coordinate is exactly 0). Of group penalties: one for each group
--   (of `tree_group` in the order in which lists end, inner ones first). Also a list or a number.
-- - `by`: `"input"` or `"column"`, `"output"` or `"row"`, `"channel"`, `"all"` (one group); or
--   `groups`: lists of positions (row-major, from 1), or an int64 tensor with the group of each
--   coordinate.
-- - `mode = "subgradient"`: lambda sign(w) in the gradient instead of the proximal step.
--
-- Methods of a penalty: @{on}, @{value}, @{terms}, @{gradient}, @{prox}, @{lambda},
-- @{describe}.
-- @module lariat.penalty

local core = require "lariat.core"

local constructor = core.penalty.constructor

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

local scad = constructor("scad", "lambda")

--- The smoothly clipped absolute deviation: slope lambda up to lambda, then falling to none at
-- `a lambda`. lambda is a place too: `2 * P.scad(0.1)` is `P.scad(0.2)`. The prox is the global
-- minimum at any step.
-- @function scad
-- @param options lambda, or a table with `lambda a (3.7, also called gamma) weights mode`
-- @return a penalty; a of 2 or less raises
-- @source Fan & Li 2001, JASA 96(456); Breheny & Huang 2011, Ann. Appl. Stat. 5(1)
-- @usage local reg = lariat.penalty.scad { lambda = 0.1, a = 3.7 }
function P.scad(options, more)
  if type(options) ~= "table" or options.gamma == nil then return scad(options, more) end
  local own = {}
  for k, v in pairs(options) do own[k] = v end
  if own.a ~= nil then error("scad: a and gamma are one parameter; give one of them", 2) end
  own.a, own.gamma = own.gamma, nil
  return scad(own)
end

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
-- k)`. The prox is exact, in O(p log p). It knows no metric: adaptive optimisers use it with
-- their mean step and settle near the minimum, not at it; `sgd` and `gd` reach it.
-- @function slope
-- @param options lambda, or a table with `lambda sequence ("bh") q (0.1) theta (0.1) mode`, and
-- `weights`: as many as coordinates, falling, in place of the sequence
-- @return a penalty; weights that rise raise
-- @source Bogdan et al. 2015, Ann. Appl. Stat. 9(3); Bondell & Reich 2008, Biometrics 64(1)
-- @usage local reg = lariat.penalty.slope { lambda = 0.05, q = 0.1 }
P.slope = constructor("slope", "lambda")

--- Hoyer-square, `lambda |w|_1^2/|w|_2^2` of each parameter: between 1 and the number of its
-- coordinates, the same at any scale. It acts by its gradient, as in the literature, which
-- pulls small weights to 0 and pushes large ones up; prune what is left. Not convex, no prox.
-- @function hoyer
-- @param options lambda, or a table with `lambda`
-- @return a penalty
-- @source Yang, Wen & Li 2020, ICLR; Hoyer 2004, JMLR 5
-- @usage local reg = lariat.penalty.hoyer(1e-4)
P.hoyer = constructor("hoyer", "lambda")

--- Norms of groups, `lambda sum_g sqrt(|g|) |w_g|_2`: whole groups at exactly zero. For a
-- linear weight (out, in), `by = "input"` groups the column of each input. The prox is exact in
-- the metric of adaptive optimisers too.
-- @function group_lasso
-- @param options a table with `lambda`, `by` or `groups`, `mode`
-- @return a penalty; used on a parameter that has no such groups it raises
-- @source Yuan & Lin 2006, JRSS B 68(1)
-- @usage local reg = lariat.penalty.group_lasso { lambda = 0.1, by = "input" }
P.group_lasso = constructor("group_lasso", "lambda")

--- The sparse group lasso, `lambda (l1_ratio |w|_1 + (1 - l1_ratio) sum_g sqrt(|g|) |w_g|_2)`:
-- few groups, and few coordinates in them. Prox: soft thresholding, then that of the groups;
-- exact in the metric of adaptive optimisers too.
-- @function sparse_group_lasso
-- @param options a table with `lambda`, `l1_ratio (0.5)`, `by` or `groups`, `mode`; `weights` are
-- of the norms, one for each group, and `l1_weights` of |w|_1, one for each coordinate
-- @return a penalty
-- @source Simon, Friedman, Hastie & Tibshirani 2013, J. Comput. Graph. Stat. 22(2)
-- @usage local reg = lariat.penalty.sparse_group_lasso { lambda = 0.1, by = "input" }
P.sparse_group_lasso = constructor("sparse_group_lasso", "lambda")

--- The minimax concave penalty of the norms of groups, `sum_g MCP(|w_g|_2; lambda sqrt(|g|))`:
-- as the group lasso near 0, constant beyond `gamma lambda sqrt(|g|)`. Not convex; the prox is
-- the global minimiser, in the metric of adaptive optimisers too.
-- @function group_mcp
-- @param options a table with `lambda`, `gamma (3)`, `by` or `groups`, `mode`
-- @return a penalty; gamma above the step keeps a convex problem convex
-- @source Breheny & Huang 2015, Stat. Comput. 25(2); Zhang 2010, Ann. Statist. 38(2)
-- @usage local reg = lariat.penalty.group_mcp { lambda = 0.1, by = "input" }
P.group_mcp = constructor("group_mcp", "lambda")

--- The smoothly clipped absolute deviation of the norms of groups,
-- `sum_g SCAD(|w_g|_2; lambda sqrt(|g|))`: constant beyond `gamma lambda sqrt(|g|)`. Not
-- convex; the prox is the global minimiser, in the metric of adaptive optimisers too.
-- @function group_scad
-- @param options a table with `lambda`, `gamma (3.7)`, `by` or `groups`, `mode`
-- @return a penalty; gamma - 1 above the step keeps a convex problem convex
-- @source Fan & Li 2001, JASA 96(456); Wang, Chen & Li 2007, Bioinformatics 23(12)
-- @usage local reg = lariat.penalty.group_scad { lambda = 0.1, by = "input" }
P.group_scad = constructor("group_scad", "lambda")

--- The largest magnitude of each group, `lambda sum_g |w_g|_inf`, without a factor for the
-- group's size: whole groups at zero, the large coordinates of the others equal. The prox is
-- exact, in the metric of adaptive optimisers too.
-- @function group_linf
-- @param options a table with `lambda`, `by` or `groups`, `mode`
-- @return a penalty
-- @source Turlach, Venables & Wright 2005, Technometrics 47(3)
-- @usage local reg = lariat.penalty.group_linf { lambda = 0.1, by = "input" }
P.group_linf = constructor("group_linf", "lambda")

--- The exclusive lasso, `lambda/2 sum_g |w_g|_1^2`: coordinates of a group compete, few of each
-- group stay. The prox is exact, in the metric of adaptive optimisers too.
-- @function exclusive_lasso
-- @param options a table with `lambda`, `by` or `groups`, `mode`
-- @return a penalty
-- @source Zhou, Jin & Hoi 2010, AISTATS; Campbell & Allen 2017, Electron. J. Stat. 11(2)
-- @usage local reg = lariat.penalty.exclusive_lasso { lambda = 0.1, by = "output" }
P.exclusive_lasso = constructor("exclusive_lasso", "lambda")

--- The group lasso with overlapping groups, in its latent form: `lambda min { sum_g sqrt(|g|)
-- |v_g|_2 : sum_g v_g = w }`, each v_g within its group, so that what is not zero is a union of
-- groups. Value and prox by coordinate descent on one multiplier for each group, to a relative
-- 1e-12; adaptive optimisers use the prox with their mean step. Coordinates in no group are
-- free.
-- @function overlap_group_lasso
-- @param options a table with `lambda`, `groups` (lists that may overlap) or `by`, `mode`
-- @return a penalty; value and prox raise where they have not settled to 1e-10
-- @source Jacob, Obozinski & Vert 2009, ICML
-- @usage local reg = lariat.penalty.overlap_group_lasso { groups = { { 1, 2 }, { 2, 3 } } }
P.overlap_group_lasso = constructor("overlap_group_lasso", "lambda")

local tree_group = constructor("tree_group", "lambda")

-- The positions of a node of a tree; appends its group to `out`, after those inside it.
local function flatten(node, out)
  local own = {}
  for k, v in ipairs(node) do
    if type(v) == "table" then
      for _, j in ipairs(flatten(v, out)) do own[#own + 1] = j end
    elseif math.type(v) == "integer" then
      own[#own + 1] = v
    else
      error(("tree_group: item %d of a group is a %s; expected positions and groups"):format(k,
        type(v)), 0)
    end
  end
  out[#out + 1] = own
  return own
end

--- Norms of groups that hold each other, `lambda sum_g sqrt(|g|) |w_g|_2`: a group is zero with
-- all that is inside it, so that a part of a tree is not zero only if what holds it is not. The
-- prox is exact, one pass from the leaves to the root; adaptive optimisers use it with their
-- mean step.
-- @param options a table with `lambda`, `mode` and `groups`: trees as nested lists, as in
-- `{ { 1, { 2, 3, { 4, 5 } }, { 6, 7 } } }`, where a list is a group of its positions and of
-- those of the lists in it; or lists without nesting, inner groups before those that hold them
-- @return a penalty; groups that overlap otherwise raise
-- @source Zhao, Rocha & Yu 2009, Ann. Statist. 37(6A); Jenatton et al. 2011, JMLR 12
-- @usage local reg = lariat.penalty.tree_group { lambda = 0.1, groups = { { 1, { 2, 3 } } } }
function P.tree_group(options)
  if type(options) ~= "table" or type(options.groups) ~= "table" then
    return tree_group(options)
  end
  local own = {}
  for k, v in pairs(options) do own[k] = v end
  own.groups = {}
  for k, tree in ipairs(options.groups) do
    if type(tree) ~= "table" then
      error(("tree_group: group %d is a %s, not a list"):format(k, type(tree)), 2)
    end
    local ok, why = pcall(flatten, tree, own.groups)
    if not ok then error(why, 2) end
  end
  return tree_group(own)
end

--- Total variation along the last dimension, `lambda sum_i |w_{i+1} - w_i|`: pieces that are
-- constant. The prox is exact, in linear time, in the metric of adaptive optimisers too.
-- @function tv1d
-- @param options lambda, or a table with `lambda mode`
-- @return a penalty
-- @source Rudin, Osher & Fatemi 1992, Physica D 60; Johnson 2013, J. Comput. Graph. Stat.
-- 22(2)
-- @usage local smooth = lariat.penalty.tv1d(2):prox(signal, 1)
P.tv1d = constructor("tv1d", "lambda")

local fused_lasso = constructor("fused_lasso", "lambda")

-- lambda1 and lambda2 as lambda and l1_ratio.
local function fused_options(o)
  local own, l = {}, {}
  for k, v in pairs(o) do own[k] = v end
  if o.lambda or o.l1_ratio then
    error("fused_lasso: give lambda and l1_ratio, or lambda1 and lambda2", 3)
  end
  for k = 1, 2 do
    local name = "lambda" .. k
    l[k], own[name] = o[name] or 0, nil
    if type(l[k]) ~= "number" or not (l[k] >= 0 and l[k] < math.huge) then
      error(("fused_lasso: %s must be a finite number, not negative"):format(name), 3)
    end
  end
  own.lambda = l[1] + l[2]
  own.l1_ratio = own.lambda > 0 and l[1] / own.lambda or nil
  return own
end

--- The fused lasso, `lambda (l1_ratio |w|_1 + (1 - l1_ratio) sum_i |w_{i+1} - w_i|)` along the
-- last dimension: pieces that are constant, most of them 0. The prox is exact (that of `tv1d`,
-- then soft thresholding); adaptive optimisers use it with their mean step.
-- @param options lambda, or a table with `lambda l1_ratio (0.5) mode`; or with `lambda1` of the
-- absolute values and `lambda2` of the differences
-- @return a penalty
-- @source Tibshirani et al. 2005, JRSS B 67(1); Friedman et al. 2007, Ann. Appl. Stat. 1(2)
-- @usage local reg = lariat.penalty.fused_lasso { lambda1 = 0.1, lambda2 = 1 }
function P.fused_lasso(options)
  if type(options) == "table" and (options.lambda1 or options.lambda2) then
    return fused_lasso(fused_options(options))
  end
  return fused_lasso(options)
end

--- Anisotropic total variation of a matrix (of each, for kernels), `lambda (sum |w_{i+1,j} -
-- w_{i,j}| + sum |w_{i,j+1} - w_{i,j}|)`: patches that are constant. Prox: the exact ones of
-- rows and columns in turns, with momentum, until they are 2e-12 of the largest entry apart;
-- adaptive optimisers use it with their mean step.
-- @function tv2d
-- @param options lambda, or a table with `lambda mode`
-- @return a penalty; the prox raises where it has not settled to 1e-8 after 20000 rounds
-- @source Rudin, Osher & Fatemi 1992, Physica D 60; Barbero & Sra 2018, JMLR 19
-- @usage local smooth = lariat.penalty.tv2d(0.5):prox(lariat.rand(8, 8), 1)
P.tv2d = constructor("tv2d", "lambda")

--- Trend filtering along the last dimension, `lambda |D w|_1` with D the differences of order
-- `order + 1`: pieces that are constant (0, as `tv1d`), straight (1), parabolas (2) ... Prox by
-- a primal-dual interior point method with banded solves, to some 1e-12 of the largest entry;
-- adaptive optimisers use it with their mean step.
-- @function trend_filter
-- @param options lambda, or a table with `lambda`, `order (1)` up to 5, `mode`
-- @return a penalty
-- @source Kim, Koh, Boyd & Gorinevsky 2009, SIAM Rev. 51(2); Tibshirani 2014, Ann. Statist.
-- 42(1)
-- @usage local smooth = lariat.penalty.trend_filter { lambda = 5, order = 2 }:prox(signal, 1)
P.trend_filter = constructor("trend_filter", "lambda")

local laplacian = constructor("laplacian", "lambda")

-- {{i, j, weight}, ...} as pairs and a tensor of weights.
local function read_edges(edges)
  local pairs_of, weights = {}, {}
  if type(edges) ~= "table" then
    error("laplacian: edges must be a list of {i, j, weight}, not a " .. type(edges), 3)
  end
  for k, e in ipairs(edges) do
    if type(e) ~= "table" or math.type(e[1]) ~= "integer" or math.type(e[2]) ~= "integer" then
      error(("laplacian: edge %d is not {i, j} or {i, j, weight}"):format(k), 3)
    end
    if e[1] == e[2] then
      error(("laplacian: edge %d joins position %d to itself"):format(k, e[1]), 3)
    end
    pairs_of[k], weights[k] = { e[1], e[2] }, e[3] or 1
  end
  return pairs_of, core.tensor(weights, { dtype = "float64" })
end

--- The Laplacian of a graph, `lambda/2 w' L w = lambda/2 sum a_ij (w_i - w_j)^2` over edges:
-- neighbours alike. Smooth: it goes into the gradient. Its prox, where one is asked for, is by
-- conjugate gradients.
-- @param options lambda, or a table with `lambda`, and `edges = { { i, j, a_ij }, ... }`
-- (positions in row-major order, weights 1 by default) or `by`: `"chain"` (neighbours along the
-- last dimension, the default) or `"grid"` (along the last two)
-- @return a penalty; a position out of range raises where it is used
-- @source Belkin, Niyogi & Sindhwani 2006, JMLR 7
-- @usage local reg = lariat.penalty.laplacian { edges = { { 1, 2 }, { 2, 3, 0.5 } } }
function P.laplacian(options)
  if type(options) ~= "table" or options.edges == nil then return laplacian(options) end
  local own = {}
  for k, v in pairs(options) do own[k] = v end
  own.edges = nil
  own.groups, own.weights = read_edges(options.edges)
  return laplacian(own)
end

--- The nuclear norm, `lambda` times the sum of singular values: matrices of low rank. A kernel
-- is seen as the matrix (output, everything else), a vector as one row. Prox: soft thresholding
-- of the singular values; adaptive optimisers use it with their mean step.
-- @function nuclear
-- @param options lambda, or a table with `lambda mode`
-- @return a penalty
-- @source Cai, Candes & Shen 2010, SIAM J. Optim. 20(4)
-- @usage local reg = lariat.penalty.nuclear(0.1):on("1.weight")
P.nuclear = constructor("nuclear", "lambda")

--- The minimax concave penalty of the singular values: low rank without shrinking the large
-- ones. Not convex; the prox is the global minimiser.
-- @function nuclear_mcp
-- @param options lambda, or a table with `lambda`, `gamma (3)`, `mode`
-- @return a penalty
-- @source Zhang 2010, Ann. Statist. 38(2); Lu et al. 2015, AAAI
-- @usage local reg = lariat.penalty.nuclear_mcp { lambda = 0.1, gamma = 2 }
P.nuclear_mcp = constructor("nuclear_mcp", "lambda")

--- The constraint `|w_g|_2 <= c` for each row (the weights into a unit).
-- @function max_norm
-- @param options c, or a table with `c (1)`, `by ("output")` or `groups`
-- @return a penalty without lambda; its value is 0, or infinite where the constraint is broken
-- @source Srivastava et al. 2014, JMLR 15
-- @usage local reg = lariat.penalty.max_norm(3)
P.max_norm = constructor("max_norm", "c")

--- The constraint `w >= 0`.
-- @function nonnegative
-- @return a penalty without lambda
-- @usage local reg = lariat.penalty.l1(0.1) + lariat.penalty.nonnegative()
P.nonnegative = constructor("nonnegative", "lambda")

--- The constraint `lo <= w <= hi`.
-- @function box
-- @param options a table with `lo (-1) hi (1)`; or the two numbers
-- @return a penalty without lambda; lo above hi raises
-- @usage local reg = lariat.penalty.box { lo = 0, hi = 1 }
P.box = constructor("box", "lo", "hi")

--- The constraint `|w|_1 <= radius` on a whole parameter, or on each group. The projection is
-- soft thresholding at the level that makes the sum the radius, found exactly, in the metric of
-- adaptive optimisers too.
-- @function l1_ball
-- @param options radius, or a table with `radius (1)`, `by ("all")` or `groups`
-- @return a penalty without lambda; a radius of 0 or less raises
-- @source Duchi et al. 2008, ICML; Condat 2016, Math. Program. 158
-- @usage local reg = lariat.penalty.l1_ball { radius = 5, by = "output" }
P.l1_ball = constructor("l1_ball", "radius")

--- The constraint `|w|_2 <= radius` on a whole parameter, or on each group.
-- @function l2_ball
-- @param options radius, or a table with `radius (1)`, `by ("all")` or `groups`
-- @return a penalty without lambda; a radius of 0 or less raises
-- @usage local reg = lariat.penalty.l2_ball(3)
P.l2_ball = constructor("l2_ball", "radius")

--- The constraint `|w_j| <= radius` on every coordinate.
-- @function linf_ball
-- @param options radius, or a table with `radius (1)`
-- @return a penalty without lambda; a radius of 0 or less raises
-- @usage local reg = lariat.penalty.linf_ball(0.5)
P.linf_ball = constructor("linf_ball", "radius")

--- The constraint `w >= 0, sum w = radius` on a whole parameter, or on each group: rows as
-- distributions. Exact, in the metric of adaptive optimisers too.
-- @function simplex
-- @param options radius, or a table with `radius (1)`, `by ("all")` or `groups`
-- @return a penalty without lambda; a radius of 0 or less raises
-- @source Held, Wolfe & Crowder 1974, Math. Program. 6; Condat 2016, Math. Program. 158
-- @usage local reg = lariat.penalty.simplex { by = "row" }
P.simplex = constructor("simplex", "radius")

--- Weights pulled towards orthonormal rows (or columns, whichever are fewer), `lambda/2 |W^T W
-- - I|_F^2` with the smaller Gram matrix. A kernel is the matrix (out, everything else), a
-- vector one row. Smooth, not convex; it has no prox.
--- The constraint `|w_g|_2 = 1` for each row, or each group: weights as directions. Not convex;
-- a row of zeros becomes the first unit vector.
-- @function unit_norm
-- @param options a table with `by ("output")` or `groups`
-- @return a penalty without lambda
-- @usage local reg = lariat.penalty.unit_norm { by = "input" }
P.unit_norm = constructor("unit_norm", "by")

--- The constraint `rank(w) <= r` on a matrix, a kernel being one of shape (out, the rest): only
-- the r largest singular values stay. Not convex.
-- @function rank
-- @param options r, or a table with `r (1)`
-- @return a penalty without lambda
-- @source Eckart & Young 1936, Psychometrika 1(3)
-- @usage local reg = lariat.penalty.rank(5):on("1.weight")
P.rank = constructor("rank", "r")

--- Orthonormal rows of a matrix, or columns where they are fewer: the projection is the polar
-- factor `U V'`. A kernel is a matrix of shape (out, the rest). Not convex.
-- @function orthonormal
-- @return a penalty without lambda
-- @source Higham 1986, SIAM J. Sci. Stat. Comput. 7(4)
-- @usage local reg = lariat.penalty.orthonormal():on("1.weight")
P.orthonormal = constructor("orthonormal", "lambda")

--- Weights pulled towards orthonormal rows (or columns, whichever are fewer),
-- `lambda/2 |W^T W - I|_F^2` with the smaller Gram matrix. A kernel is the matrix (out,
-- everything else), a vector one row. Smooth, not convex; it has no prox.
-- @function orthogonal
-- @param options lambda, or a table with `lambda`
-- @return a penalty
-- @source Brock, Lim, Ritchie & Weston 2017, ICLR; Bansal, Chen & Wang 2018, NeurIPS 31
-- @usage local reg = lariat.penalty.orthogonal(1e-3):on("1.weight")
P.orthogonal = constructor("orthogonal", "lambda")

--- Half the square of the largest singular value, `lambda/2 sigma_max(W)^2`, by power iteration
-- on W^T W, or by a singular value decomposition where that does not settle. It acts by its
-- gradient, `lambda sigma u v^T`: the derivative where the value is simple, else one of the
-- subgradients. It has no prox.
-- @function spectral
-- @param options lambda, or a table with `lambda`
-- @return a penalty
-- @source Yoshida & Miyato 2017, arXiv:1705.10941
-- @usage local reg = 0.01 * lariat.penalty.spectral()
P.spectral = constructor("spectral", "lambda")

--- Half the squared distance from given weights, `lambda/2 |w - towards|^2`: fine-tuning.
-- @function l2_sp
-- @param options a table with `lambda` and `towards`: a model or a table name -> tensor, of
-- which copies are kept and matched by name; or one tensor or number for every parameter in
-- the scope
-- @return a penalty; used on a parameter that has no counterpart it raises
-- @source Li, Grandvalet & Davoine 2018, ICML, eq. 2
-- @usage local reg = lariat.penalty.l2_sp { lambda = 0.1, towards = net }
P.l2_sp = constructor("l2_sp", "lambda")

--- Elastic weight consolidation, `lambda/2 sum fisher (w - towards)^2`: weights that mattered
-- for a former task stay near what they were.
-- @function ewc
-- @param options a table with `lambda`, `towards` and `fisher`, each as `towards` of `l2_sp`;
-- `fisher` as from `lariat.penalty.fisher`, not negative
-- @return a penalty
-- @source Kirkpatrick et al. 2017, PNAS 114(13), eq. 3
-- @usage local f = lariat.penalty.fisher(net, { x = x, y = y }, { loss = "mse" })
-- local reg = lariat.penalty.ewc { lambda = 10, towards = net, fisher = f }
P.ewc = constructor("ewc", "lambda")

--- Noise on weights: each forward pass in training sees `w + lambda std N(0, 1)`, drawn anew,
-- and the gradient there moves w. Its value is 0: what it adds to the expected loss is not
-- known in closed form. Evaluation sees the weights themselves.
-- @function weight_noise
-- @param options std, or a table with `std (0.1)`, `lambda (1)`: what schedules move
-- @return a penalty
-- @source Murray & Edwards 1994, IEEE Trans. Neural Networks 5(5); Graves 2011, NIPS 24
-- @usage local reg = lariat.penalty.weight_noise(0.05)
P.weight_noise = constructor("weight_noise", "std")

--- Absolute values of activations, `lambda mean_i |a_i|_1`, a mean over samples, a sum over
-- units and layers. This and the penalties after it are of the forward pass: `fit` adds them
-- to the loss, by hand `penalty:forward` gives them. The scope is of layers, not of
-- parameters: `"activation"` (the default: outputs of relu, sigmoid, tanh, ... layers), a kind
-- of layer (`"linear"`), a name or glob (`"2"`, `"encoder.*"`; a wildcard leaves out
-- containers), or `function(name, output) -> boolean`.
-- @function activation_l1
-- @param options lambda, or a table with `lambda`
-- @return a penalty; where no layer matches it raises and lists them
-- @source Glorot, Bordes & Bengio 2011, AISTATS, sec. 3.2
-- @usage local reg = lariat.penalty.activation_l1(1e-3):on("2")
P.activation_l1 = constructor("activation_l1", "lambda")

--- Half the squares of activations, `lambda/2 mean_i |a_i|^2`; scopes as in `activation_l1`.
-- @function activation_l2
-- @param options lambda, or a table with `lambda`
-- @return a penalty
-- @source Merity, McCann & Socher 2017, arXiv:1708.01009
-- @usage local reg = lariat.penalty.activation_l2(1e-3):on("relu")
P.activation_l2 = constructor("activation_l2", "lambda")

--- The divergence of each unit's mean activation over the batch from rho, `lambda sum_j KL(rho
-- | mean_i a_ij)`: sparse autoencoders. The default scope are sigmoid layers; mean activations
-- outside [0, 1] raise.
-- @function kl_sparsity
-- @param options lambda, or a table with `lambda`, `rho (0.05)`
-- @return a penalty
-- @source Ng 2011, CS294A lecture notes, sec. 3; Lee, Ekanadham & Ng 2007, NIPS 20
-- @usage local reg = lariat.penalty.kl_sparsity { lambda = 3, rho = 0.05 }
P.kl_sparsity = constructor("kl_sparsity", "lambda")

--- The confidence penalty, `-lambda mean_i H(softmax(f(x_i)))`: minus the entropy of what is
-- predicted, so its value is not positive. The prediction is logits; a single one per sample is
-- that of a sigmoid.
-- @function entropy
-- @param options lambda, or a table with `lambda`
-- @return a penalty; it takes no scope
-- @source Pereyra, Tucker, Chorowski, Kaiser & Hinton 2017, arXiv:1701.06548
-- @usage local reg = lariat.penalty.entropy(0.1)
P.entropy = constructor("entropy", "lambda")

--- Derivatives of outputs by inputs, `lambda mean_i |df(x_i)/dx_i|_F^2`: exact, one backward
-- pass for each output; or, with `projections = k`, an unbiased estimate from k random
-- directions. Outputs of a sample are taken to depend on its own inputs alone (batch
-- normalisation breaks that in training).
-- @function jacobian
-- @param options lambda, or a table with `lambda`, `projections (0: exact)`
-- @return a penalty; it takes no scope, and raises for inputs that are not floats
-- @source Hoffman, Roberts & Yaida 2019, arXiv:1908.02729
-- @usage local reg = lariat.penalty.jacobian { lambda = 0.01, projections = 1 }
P.jacobian = constructor("jacobian", "lambda")

--- Derivatives of the loss by inputs, `lambda mean_i |dloss_i/dx_i|^2`, by double
-- backpropagation. The loss is taken to be a mean over samples of equal weight.
-- @function gradient
-- @param options lambda, or a table with `lambda`
-- @return a penalty; it takes no scope, and raises where there is no loss
-- @source Drucker & LeCun 1992, IEEE Trans. Neural Networks 3(6)
-- @usage local reg = lariat.penalty.gradient(0.1)
P.gradient = constructor("gradient", "lambda")

--- The diagonal of the empirical Fisher information: the mean over samples of the squares of
-- the gradients of each sample's loss, with the labels of the data, in eval mode.
-- @param net a model
-- @param data `{x=, y=}`
-- @param options a table with `loss ("cross_entropy")`, minus the log-likelihood of one sample,
-- and `samples`: of so many rows, evenly spread (all)
-- @return a table name -> tensor, for `ewc`
-- @source Kirkpatrick et al. 2017, PNAS 114(13); Martens 2020, JMLR 21, sec. 11
-- @usage local f = lariat.penalty.fisher(net, { x = x, y = y }, { loss = "mse", samples = 8 })
function P.fisher(net, data, options)
  return require "lariat.fisher"(net, data, options)
end

for _, entry in ipairs(core.penalty.entries()) do
  P[entry.name] = P[entry.name] or constructor(entry.name, "lambda")
end

local reserved = { name = true, value = true, prox = true, separable = true, lambda = true }

-- "log_sum(w; eps = 0.1)"
local function formula(spec)
  local named = {}
  for k, v in pairs(spec) do
    if type(k) == "string" and not reserved[k] and type(v) == "number" then
      named[#named + 1] = ("%s = %g"):format(k, v)
    end
  end
  table.sort(named)
  return spec.name .. "(w" .. (#named > 0 and "; " or "") .. table.concat(named, ", ") .. ")"
end

local function check_spec(spec)
  if type(spec) ~= "table" then
    error("penalty.new: expects a table with a value, not a " .. type(spec), 3)
  end
  if spec.name ~= nil and type(spec.name) ~= "string" then
    error("penalty.new: name must be a string, not a " .. type(spec.name), 3)
  end
  for _, key in ipairs { "value", "prox" } do
    local kind = type(spec[key])
    if kind ~= "function" and not (key == "prox" and kind == "nil") then
      error(("penalty.new: %s must be a function, not a %s"):format(key, kind), 3)
    end
  end
end

--- A penalty written in Lua. Its gradient is derived from `value`; without a `prox` it acts
-- by that gradient. A penalty made here can be called: `pen(1e-3)` is `1e-3 * pen`, and
-- `pen { eps = 0.01 }` a copy with other parameters.
-- @param spec a table with
--
-- - `value = function(self, w) -> number`: Omega(w) of one parameter, in tensor operations,
--   without lambda;
-- - `prox = function(self, v, step) -> tensor` (optional): argmin_u |u - v|^2 / (2 step) +
--   Omega(u); the engine has multiplied lambda into the step;
-- - `separable = true`: the prox works coordinate by coordinate and takes a tensor of steps as
--   well; then adaptive optimisers use it in their own metric, else with their mean step;
-- - `name` (for `terms` and messages), `lambda`, and any parameters of its own, read as
--   `self.eps`. `self.lambda` is the strength in force.
-- @return a penalty; raises where value or prox is not a function
-- @usage local log_sum = lariat.penalty.new {
--   name = "log_sum", eps = 0.1,
--   value = function(self, w) return (w:abs() / self.eps):log1p():sum() end,
-- }
-- local reg = 1e-3 * log_sum:on("weight")
function P.new(spec)
  check_spec(spec)
  local own = {}
  for k, v in pairs(spec) do own[k] = v end
  own.name = own.name or "custom"
  own.formula = own.formula or formula(own)
  return core.penalty.custom(own)
end

-- Calling a penalty written in Lua: another strength, or other parameters.
function core.penalty.call(pen, change)
  local terms = pen:describe()
  local spec = #terms == 1 and terms[1].spec
  if not spec then error("only a penalty made by penalty.new can be called", 2) end
  if type(change) == "number" then return change * pen end
  local copy = {}
  for k, v in pairs(spec) do copy[k] = v end
  copy.formula = nil
  copy.lambda = terms[1].lambda
  for k, v in pairs(change or {}) do copy[k] = v end
  local made = terms[1].scale * P.new(copy)
  local on = terms[1].on
  if on == "weight" then return made end
  return made:on(on)
end

-- What adaptive weights come from: a tensor, a model, or a fit that holds one of them.
local function source(from)
  if type(from) ~= "table" then return from end
  return from.coef or from.model or from
end

-- A tensor of another dtype or shape than its parameter's is no matter: only |w| counts.
local function adaptive_options(base, options)
  if not core.penalty.is(base) then
    error("adaptive: expects a penalty, not a " .. type(base), 3)
  end
  if type(options) ~= "table" or options.from == nil then
    error("adaptive: say from = a tensor, a model or a fit", 3)
  end
  for key in pairs(options) do
    if key ~= "from" and key ~= "gamma" then
      error(("adaptive: unknown key '%s'; there are from and gamma"):format(key), 3)
    end
  end
  local gamma = options.gamma or 1
  if type(gamma) ~= "number" or not (gamma > 0 and gamma < math.huge) then
    error(("adaptive: gamma = %s; it must be above 0"):format(tostring(gamma)), 3)
  end
  return source(options.from), gamma
end

--- Reweights a penalty by an earlier fit: each coordinate of a separable penalty gets the
-- weight `1/|w|^gamma`, each group of a group penalty `1/|w_g|^gamma` (the sparse group lasso
-- both). What was exactly 0 is excluded and stays 0; what was large is hardly shrunk.
-- @param base a single penalty that takes weights (its own are multiplied in); its scope counts
-- @param options `from`: a tensor, a model, or a table with `coef` or `model`; `gamma` (1)
-- @return a penalty: with weights from a tensor, in the scope of base; from a model, a sum with
-- one term for each parameter that base covers
-- @source Zou 2006, JASA 101(476); groups: Wang & Leng 2008, CSDA 52(12)
-- @usage local ridge = lariat.tensor { 2, -0.5, 0, 1 }
-- local reg = lariat.penalty.adaptive(lariat.penalty.l1(0.1), { from = ridge, gamma = 1 })
function P.adaptive(base, options)
  local from, gamma = adaptive_options(base, options)
  local made = table.pack(core.penalty.adapt(base, from, gamma))
  local on = base:describe()[1].on
  local one = made.n == 2 and made[1] == "tensor"
  local sum = one and (on == "weight" and made[2] or made[2]:on(on)) or nil
  for k = 1, one and 0 or made.n, 2 do
    local term = made[k + 1]:on(made[k])
    sum = sum and sum + term or term
  end
  return sum
end

--- Is it a penalty?
-- @param x anything
-- @return boolean
-- @usage assert(lariat.penalty.is(lariat.penalty.l1()))
P.is = core.penalty.is

--- The penalties there are.
-- @return a list of `{name, doc, source, formula, params, convex, separable, smooth,
-- constraint, grouped}`
-- @usage for _, e in ipairs(lariat.penalty.entries()) do print(e.name, e.doc) end
P.entries = core.penalty.entries

--- Tests a penalty against its own value, on random points in float64: the gradient with
-- differences, the prox with brute force in one dimension and random search in several, and
-- that a factor scales all of it. Prints what it tried.
-- @param pen a penalty
-- @param options `quiet` (print nothing), `seed` (1)
-- @return true or false, and the report as a list of lines
-- @usage assert(lariat.penalty.check(lariat.penalty.l1(0.1), { quiet = true }))
function P.check(pen, options)
  return require "lariat.check_penalty"(pen, options)
end

--- @section methods

--- Where a penalty acts, in place of its former scope.
-- @function on
-- @param ... names or globs (`"1.weight"`, `"4.*"`), kinds (`"weight" "bias" "gain"`), a list
-- of them, or `function(name, tensor) -> boolean`. A glob whose last part holds a wildcard
-- means weights only: biases are named (`"*.bias"`) or asked for by kind.
-- @return a new penalty; used where nothing matches it raises, and lists what there is
-- @usage local reg = lariat.penalty.l2(0.1):on("weight", "bias")

--- The value on a model (scopes count) or on one tensor (they do not). Terms of the forward
-- pass need data too, and some of them the loss.
-- @function value
-- @param net a model, a list of tensors, or a tensor
-- @param x inputs (optional)
-- @param y targets (optional)
-- @param loss its name, a criterion or `function(prediction, target)` (optional)
-- @return a number
-- @usage print(reg:value(net))

--- A forward pass with the terms that look at it (activations, derivatives by x), by hand. The
-- other terms act in the optimiser's step as ever; a step that such a term has not been counted
-- in for raises.
-- @function forward
-- @param net a model
-- @param x inputs
-- @param y targets (optional)
-- @param loss its name, a criterion or `function(prediction, target)` (optional)
-- @return the prediction
-- @return the value of those terms, to be added to the loss; 0 where there are none
-- @return the loss, or nil
-- @usage local pred, extra, loss = reg:forward(net, x, y, "mse");
-- (loss + extra):backward()

--- The value of each term.
-- @function terms
-- @param ... as in `value`
-- @return a table name -> number; terms of one name are `l1`, `l1_2`, ...
-- @usage for name, v in pairs(reg:terms(net)) do print(name, v) end

--- A (sub)gradient of all terms at a tensor, 0 taken at kinks.
-- @function gradient
-- @param w a float tensor
-- @param g a contiguous tensor of its dtype and shape to add to (optional)
-- @return a tensor of its shape, or g
-- @usage local g = lariat.penalty.l1(0.1):gradient(w)

--- `argmin_u |u - w|^2 / (2 step) + Omega(u)`, of all terms, also those that act by gradient
-- in training; raises where a penalty written in Lua has no prox.
-- @function prox
-- @param w a float tensor
-- @param step a number above 0, or a tensor of w's shape: a diagonal metric
-- @return a new tensor
-- @usage local u = lariat.penalty.l1(0.1):prox(w, 0.5)

--- The same in place.
-- @function prox_
-- @param w a float tensor, overwritten
-- @param step as in `prox`
-- @return w
-- @usage lariat.penalty.l1(0.1):prox_(w, 0.5)

--- The strength: lambda times factors.
-- @function lambda
-- @return a number; of a sum a table name -> number
-- @usage print((2 * lariat.penalty.l1(0.1)):lambda())

--- The least strength that holds a parameter at 0: with the loss's gradient at w = 0, the
-- smallest lambda for which 0 is stationary, so that the prox keeps it there. Of non-convex
-- penalties: a local minimum. `l0`, `lq` (0 is stationary at any lambda), smooth penalties,
-- `exclusive_lasso` (0 at none) and constraints have none.
--
-- `tv1d`, `tv2d`, `trend_filter` and `fused_lasso` with `l1_ratio = 0` cost nothing where rows
-- are constant, matrices constant, rows polynomials: there it is the least lambda that holds w
-- among those, g being the gradient at the best of them (a part of g along them does not
-- count; for a prox, `g = -v` will do). Coordinates of weight 0, or in no group, do not count
-- either.
-- @function lambda_max
-- @param g a float tensor: the gradient of the loss at w = 0
-- @return a number; raises for a sum, and for a penalty that has none
-- @usage local most = lariat.penalty.l1():lambda_max(lariat.tensor { 0.5, -2 })

--- What a penalty is made of, for programs.
-- @function describe
-- @return a list of `{name, kind, acts, lambda, scale, on, by, mode, ...}`, one for each term
-- @usage print(reg:describe()[1].lambda)

return P
