--- Constraints as penalties; see @{lariat.penalty}.
-- @submodule lariat.penalty

local constructor = require "lariat.core".penalty.constructor

local P = {}

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

-- One bound alone leaves the other side open.
local function box_options(options)
  if (options.lo == nil) == (options.hi == nil) then return options end
  local own = {}
  for k, v in pairs(options) do own[k] = v end
  own.lo, own.hi = own.lo or -math.huge, own.hi or math.huge
  return own
end

--- The constraint `lo <= w <= hi`; with one bound only that.
-- @function box
-- @param options a table with `lo` and `hi` (-1 and 1 where neither is given); or two numbers
-- @return a penalty without lambda; lo above hi raises
-- @usage local reg = lariat.penalty.box { lo = 0, hi = 1 }
P.box = constructor("box", "lo", "hi", box_options)

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

return P
