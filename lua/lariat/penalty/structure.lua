--- Penalties of structure: neighbours, trends, rank, graphs; see @{lariat.penalty}.
-- @submodule lariat.penalty

local core = require "lariat.core"

local constructor = core.penalty.constructor

local P = {}

--- Total variation along the last dimension, `lambda sum_i |w_{i+1} - w_i|`: pieces that are
-- constant. The prox is exact, in linear time, in the metric of adaptive optimisers too.
-- @function tv1d
-- @param options lambda, or a table with `lambda mode`
-- @return a penalty
-- @source Rudin, Osher & Fatemi 1992, Physica D 60; Johnson 2013, J. Comput. Graph. Stat.
-- 22(2)
-- @usage local smooth = lariat.penalty.tv1d(2):prox(signal, 1)
P.tv1d = constructor("tv1d", "lambda")

local function strength(options, name)
  local l = options[name] or 0
  if type(l) ~= "number" or not (l >= 0 and l < math.huge) then
    error(("fused_lasso: %s must be a finite number, not negative"):format(name), 4)
  end
  return l
end

-- lambda1 and lambda2 as lambda and l1_ratio.
local function fused_options(options)
  if options.lambda1 == nil and options.lambda2 == nil then return options end
  if options.lambda or options.l1_ratio then
    error("fused_lasso: give lambda and l1_ratio, or lambda1 and lambda2", 3)
  end
  local own = {}
  for k, v in pairs(options) do own[k] = v end
  local l1, l2 = strength(options, "lambda1"), strength(options, "lambda2")
  own.lambda1, own.lambda2, own.lambda = nil, nil, l1 + l2
  own.l1_ratio = own.lambda > 0 and l1 / own.lambda or nil
  return own
end

--- The fused lasso, `lambda (l1_ratio |w|_1 + (1 - l1_ratio) sum_i |w_{i+1} - w_i|)` along the
-- last dimension: pieces that are constant, most of them 0. The prox is exact (that of `tv1d`,
-- then soft thresholding). It knows no metric: see `lariat.optim`.
-- @function fused_lasso
-- @param options lambda, or a table with `lambda l1_ratio (0.5) mode`; or with `lambda1` of the
-- absolute values and `lambda2` of the differences
-- @return a penalty
-- @source Tibshirani et al. 2005, JRSS B 67(1); Friedman et al. 2007, Ann. Appl. Stat. 1(2)
-- @usage local reg = lariat.penalty.fused_lasso { lambda1 = 0.1, lambda2 = 1 }
P.fused_lasso = constructor("fused_lasso", "lambda", nil, fused_options)

--- Anisotropic total variation of a matrix (of each, for kernels), `lambda (sum |w_{i+1,j} -
-- w_{i,j}| + sum |w_{i,j+1} - w_{i,j}|)`: patches that are constant. Prox: the exact ones of
-- rows and columns in turns, with momentum, until they are 1e-12 of the largest entry apart.
-- The prox knows no metric: see `lariat.optim`.
-- @function tv2d
-- @param options lambda, or a table with `lambda mode`
-- @return a penalty; the prox raises where it has not settled to 1e-11 after 20000 rounds
-- @source Rudin, Osher & Fatemi 1992, Physica D 60; Barbero & Sra 2018, JMLR 19
-- @usage local smooth = lariat.penalty.tv2d(0.5):prox(lariat.rand(8, 8), 1)
P.tv2d = constructor("tv2d", "lambda")

--- Trend filtering along the last dimension, `lambda |D w|_1` with D the differences of order
-- `order + 1`: pieces that are constant (0, as `tv1d`), straight (1), parabolas (2) ... Prox by
-- a primal-dual interior point method with banded solves, to some 1e-12 of the largest entry;
-- it raises where double has too few digits for 1e-10 (rows of thousands, orders from 2 or 3).
-- The prox knows no metric: see `lariat.optim`.
-- @function trend_filter
-- @param options lambda, or a table with `lambda`, `order (1)` up to 5, `mode`
-- @return a penalty
-- @source Kim, Koh, Boyd & Gorinevsky 2009, SIAM Rev. 51(2); Tibshirani 2014, Ann. Statist.
-- 42(1)
-- @usage local smooth = lariat.penalty.trend_filter { lambda = 5, order = 2 }:prox(signal, 1)
P.trend_filter = constructor("trend_filter", "lambda")

-- {{i, j, weight}, ...} as pairs and a tensor of weights.
local function read_edges(edges)
  local pairs_of, weights = {}, {}
  if type(edges) ~= "table" then
    error("laplacian: edges must be a list of {i, j, weight}, not a " .. type(edges), 4)
  end
  for k, e in ipairs(edges) do
    if type(e) ~= "table" or math.type(e[1]) ~= "integer" or math.type(e[2]) ~= "integer" then
      error(("laplacian: edge %d is not {i, j} or {i, j, weight}"):format(k), 4)
    end
    if e[1] == e[2] then
      error(("laplacian: edge %d joins position %d to itself"):format(k, e[1]), 4)
    end
    pairs_of[k], weights[k] = { e[1], e[2] }, e[3] or 1
  end
  return pairs_of, core.tensor(weights, { dtype = "float64" })
end

local function laplacian_options(options)
  if options.edges == nil then return options end
  local own = {}
  for k, v in pairs(options) do own[k] = v end
  own.edges = nil
  own.groups, own.weights = read_edges(options.edges)
  return own
end

--- The Laplacian of a graph, `lambda/2 w' L w = lambda/2 sum a_ij (w_i - w_j)^2` over edges:
-- neighbours alike. Smooth: it goes into the gradient. Its prox, where one is asked for, is by
-- conjugate gradients.
-- @function laplacian
-- @param options lambda, or a table with `lambda`, and `edges = { { i, j, a_ij }, ... }`
-- (positions in row-major order, weights 1 by default) or `by`: `"chain"` (neighbours along the
-- last dimension, the default) or `"grid"` (along the last two)
-- @return a penalty; a position out of range raises where it is used
-- @source Belkin, Niyogi & Sindhwani 2006, JMLR 7
-- @usage local reg = lariat.penalty.laplacian { edges = { { 1, 2 }, { 2, 3, 0.5 } } }
P.laplacian = constructor("laplacian", "lambda", nil, laplacian_options)

--- The nuclear norm, `lambda` times the sum of singular values: matrices of low rank. A kernel
-- is seen as the matrix (output, everything else), a vector as one row. Prox: soft thresholding
-- of the singular values. It knows no metric: see `lariat.optim`.
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

return P
