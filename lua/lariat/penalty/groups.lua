--- Penalties of groups of weights; see @{lariat.penalty}.
-- @submodule lariat.penalty

local constructor = require "lariat.core".penalty.constructor

local P = {}

--- Norms of groups, `lambda sum_g sqrt(|g|) |w_g|_2`: whole groups at exactly zero. For a
-- linear weight (out, in), `by = "input"` groups the column of each input. What is in no group
-- is free of it. The prox is exact in the metric of adaptive optimisers too.
-- @function group_lasso
-- @param options a table with `lambda`, `by` or `groups`, `weights`, `mode`
-- @return a penalty; used on a parameter that has no such groups it raises
-- @source Yuan & Lin 2006, JRSS B 68(1)
-- @usage local reg = lariat.penalty.group_lasso { lambda = 0.1, by = "input" }
P.group_lasso = constructor("group_lasso", "lambda")

--- The sparse group lasso, `lambda (l1_ratio |w|_1 + (1 - l1_ratio) sum_g sqrt(|g|) |w_g|_2)`:
-- few groups, and few coordinates in them. Prox: soft thresholding, then that of the groups;
-- exact in the metric of adaptive optimisers too.
-- @function sparse_group_lasso
-- @param options a table with `lambda`, `l1_ratio (0.5)`, `by` or `groups`, `mode`;
-- `weights` are of the norms, one for each group, `l1_weights` of |w|_1, by coordinate
-- @return a penalty
-- @source Simon, Friedman, Hastie & Tibshirani 2013, J. Comput. Graph. Stat. 22(2)
-- @usage local reg = lariat.penalty.sparse_group_lasso { lambda = 0.1, by = "input" }
P.sparse_group_lasso = constructor("sparse_group_lasso", "lambda")

--- The minimax concave penalty of the norms of groups, `sum_g MCP(|w_g|_2; lambda sqrt(|g|))`:
-- as the group lasso near 0, constant beyond `gamma lambda sqrt(|g|)`. Not convex; the prox is
-- the global minimiser, in the metric of adaptive optimisers too.
-- @function group_mcp
-- @param options a table with `lambda`, `gamma (3)`, `by` or `groups`, `weights`, `mode`
-- @return a penalty; gamma above the step keeps a convex problem convex
-- @source Breheny & Huang 2015, Stat. Comput. 25(2); Zhang 2010, Ann. Statist. 38(2)
-- @usage local reg = lariat.penalty.group_mcp { lambda = 0.1, by = "input" }
P.group_mcp = constructor("group_mcp", "lambda")

--- The smoothly clipped absolute deviation of the norms of groups,
-- `sum_g SCAD(|w_g|_2; lambda sqrt(|g|))`: constant beyond `gamma lambda sqrt(|g|)`. Not
-- convex; the prox is the global minimiser, in the metric of adaptive optimisers too.
-- @function group_scad
-- @param options a table with `lambda`, `gamma (3.7)`, `by` or `groups`, `weights`, `mode`
-- @return a penalty; gamma - 1 above the step keeps a convex problem convex
-- @source Fan & Li 2001, JASA 96(456); Wang, Chen & Li 2007, Bioinformatics 23(12)
-- @usage local reg = lariat.penalty.group_scad { lambda = 0.1, by = "input" }
P.group_scad = constructor("group_scad", "lambda")

--- The largest magnitude of each group, `lambda sum_g |w_g|_inf`, without a factor for the
-- group's size: whole groups at zero, the large coordinates of the others equal. The prox is
-- exact, in the metric of adaptive optimisers too.
-- @function group_linf
-- @param options a table with `lambda`, `by` or `groups`, `weights`, `mode`
-- @return a penalty
-- @source Turlach, Venables & Wright 2005, Technometrics 47(3)
-- @usage local reg = lariat.penalty.group_linf { lambda = 0.1, by = "input" }
P.group_linf = constructor("group_linf", "lambda")

--- The exclusive lasso, `lambda/2 sum_g |w_g|_1^2`: coordinates of a group compete, few of each
-- group stay. The prox is exact, in the metric of adaptive optimisers too.
-- @function exclusive_lasso
-- @param options a table with `lambda`, `by` or `groups`, `weights`, `mode`
-- @return a penalty
-- @source Zhou, Jin & Hoi 2010, AISTATS; Campbell & Allen 2017, Electron. J. Stat. 11(2)
-- @usage local reg = lariat.penalty.exclusive_lasso { lambda = 0.1, by = "output" }
P.exclusive_lasso = constructor("exclusive_lasso", "lambda")

--- The group lasso with overlapping groups, in its latent form: `lambda min { sum_g sqrt(|g|)
-- |v_g|_2 : sum_g v_g = w }`, each v_g within its group, so that what is not zero is a union of
-- groups. Value and prox by coordinate descent on one multiplier for each group, to a relative
-- 1e-12. It knows no metric: see `lariat.optim`. Coordinates in no group, or in
-- one of weight 0, are free.
-- @function overlap_group_lasso
-- @param options a table with `lambda`, `groups` (lists that may overlap) or `by`, `weights`,
-- `mode`
-- @return a penalty; value and prox raise where they have not settled to 1e-10
-- @source Jacob, Obozinski & Vert 2009, ICML
-- @usage local reg = lariat.penalty.overlap_group_lasso { groups = { { 1, 2 }, { 2, 3 } } }
P.overlap_group_lasso = constructor("overlap_group_lasso", "lambda")

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

local function tree_options(options)
  if type(options.groups) ~= "table" then return options end
  local own = {}
  for k, v in pairs(options) do own[k] = v end
  own.groups = {}
  for k, tree in ipairs(options.groups) do
    if type(tree) ~= "table" then
      error(("tree_group: group %d is a %s, not a list"):format(k, type(tree)), 3)
    end
    local ok, why = pcall(flatten, tree, own.groups)
    if not ok then error(why, 3) end
  end
  return own
end

--- Norms of groups that hold each other, `lambda sum_g sqrt(|g|) |w_g|_2`: a group is zero with
-- all that is inside it, so that a part of a tree is not zero only if what holds it is not. The
-- prox is exact, one pass from the leaves to the root. It knows no
-- metric: see `lariat.optim`.
-- @function tree_group
-- @param options a table with `lambda`, `weights`, `mode` and `groups`: trees as nested lists,
-- as in `{ { 1, { 2, 3, { 4, 5 } }, { 6, 7 } } }`, where a list is a group of its positions and
-- of those of the lists in it; or lists without nesting, inner groups before what holds them
-- @return a penalty; groups that overlap otherwise raise
-- @source Zhao, Rocha & Yu 2009, Ann. Statist. 37(6A); Jenatton et al. 2011, JMLR 12
-- @usage local reg = lariat.penalty.tree_group { lambda = 0.1, groups = { { 1, { 2, 3 } } } }
P.tree_group = constructor("tree_group", "lambda", nil, tree_options)

return P
