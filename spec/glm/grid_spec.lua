-- Every solver with every loss and penalty that it takes: certificates, agreement between
-- solvers, dense as compressed, float32 as float64. What does not fit is refused in a sentence.
local lariat = require "lariat"
local core = require "lariat.core"

local P, C = lariat.penalty, lariat.constraint
local N, DIM, TOL = 60, 12, 1e-6

local function f64(t) return t:to("float64") end

-- Some entries of x are 0, so that its compressed form is one.
local function problem()
  lariat.seed(11)
  local x = f64(lariat.randn(N, DIM))
  x = x * x:abs():gt(0.4):double() + 0.5
  local b = core.tensor({ 1.5, -1, 0.8, 0, 0, 0, 0.5, 0.5, 0, 0, 0, -0.3 },
    { dtype = "float64" })
  local f = x:mv(b) - 0.5
  local noise = f64(lariat.randn(N))
  return x, f, f + 0.5 * noise
end

local x, f, y = problem()
local sparse = lariat.sparse.csc(x)

-- So few entries that steps go along columns, not along rows of a Gram matrix.
local scattered = f64(lariat.randn(N, 4 * DIM))
scattered = scattered * scattered:abs():gt(1.7):double()
local middle = y:median():item()
local classes = y:gt(middle - 0.7):long() + y:gt(middle + 0.7):long() + 1
local status = (lariat.arange(1, N):to("int64") % 4):ne(0):double()

local losses = {
  { name = "gaussian", y = y },
  { name = "binomial", y = y:gt(middle):double() },
  { name = "poisson", y = (f / 3):exp():round() },
  { name = "huber", y = y, delta = 0.7 },
  { name = "hinge", y = y:gt(middle):long() + 1 },
  { name = "quantile", y = y, tau = 0.3, width = 0.3, label = "smoothed quantile" },
  { name = "quantile", y = y, tau = 0.3, label = "exact quantile", kinked = true },
  { name = "cox", y = (y / 3):exp(), status = status },
  { name = "multinomial", y = classes, k = 3 },
  { name = "mgaussian", y = lariat.stack({ y, f, y * 0.5 - f }, 2), k = 3 },
}

local overlapping = { { 1, 2, 3, 4 }, { 4, 5, 6, 7, 8 }, { 8, 9, 10, 11, 12 } }
local groups = { { 1, 2, 3 }, { 4, 5, 6 }, { 7, 8 }, { 9, 10, 11, 12 } }

-- Name, penalty, a lambda where nothing says which holds all at 0, and the least of the grid:
-- those that end flat do not keep separable classes from infinity.
local penalties = {
  { "l1", P.l1() },
  { "l2", P.l2(), 0.1 },
  { "elastic_net", P.elastic_net { l1_ratio = 0.7 } },
  { "mcp", P.mcp { gamma = 30 }, nil, 0.4 },
  { "group_lasso", P.group_lasso { groups = groups } },
  { "sparse_group_lasso", P.sparse_group_lasso { groups = groups, l1_ratio = 0.4 } },
  { "group_mcp", P.group_mcp { groups = groups, gamma = 30 }, nil, 0.4 },
  { "group_scad", P.group_scad { groups = groups, gamma = 30 }, nil, 0.4 },
  { "group_linf", P.group_linf { groups = groups } },
  { "group_lasso + l2", P.group_lasso { groups = groups } + 0.3 * P.l2() },
  { "group_lasso + l1", P.group_lasso { groups = groups } + 0.3 * P.l1() },
  { "exclusive_lasso", P.exclusive_lasso { groups = groups }, 0.1 },
  { "slope", P.slope() },
  { "slope + l2", P.slope() + 0.2 * P.l2(), 0.05 },
  { "fused_lasso", P.fused_lasso() },
  { "tv1d", P.tv1d(), 0.02 },
  { "overlap_group_lasso",
    P.overlap_group_lasso { groups = overlapping } },
  { "l1_ball", C.l1_ball { radius = 0.8 }, 1 },
  { "simplex", C.simplex(), 1 },
}

local function ask(loss, penalty, more)
  local given = {
    x = x, y = loss.y, family = loss.name, delta = loss.delta, tau = loss.tau,
    width = loss.width, status = loss.status, penalty = penalty[2], tol = TOL,
    early_end = false, max_iter = 50000,
  }
  if penalty[3] then
    given.lambda = { penalty[3], penalty[3] / 4 }
  else
    given.n_lambda, given.lambda_min_ratio = 4, penalty[4] or 0.05
  end
  for key, value in pairs(more or {}) do given[key] = value end
  return given
end

-- A path, or the sentence why there is none.
local function try(loss, penalty, more)
  local ok, got = pcall(lariat.glm.path, ask(loss, penalty, more))
  if ok then return got end
  return nil, tostring(got)
end

local function worst(t)
  local most = 0
  for _, v in ipairs(t:reshape(-1):totable()) do
    most = math.max(most, v == v and math.abs(v) or math.huge)
  end
  return most
end

local function certified(path, what)
  for l, outcome in ipairs(path.status) do
    local gap, kkt = path.gap[l], path.kkt[l]
    assert(outcome == "converged", ("%s: point %d is %s"):format(what, l, outcome))
    local measure = gap == gap and gap or kkt
    assert(measure <= TOL, ("%s: point %d has %g"):format(what, l, measure))
    assert(gap ~= gap or gap > -1e-9, ("%s: point %d has the gap %g"):format(what, l, gap))
  end
end

local function close(a, b, bound, what)
  local off = worst(a - b)
  assert(off <= bound, ("%s: %g apart"):format(what, off))
end

local solvers = {}
for _, entry in ipairs(core.glm_solvers()) do solvers[#solvers + 1] = entry.name end
table.sort(solvers)

local function label(loss) return loss.label or loss.name end

describe("the grid of solvers, losses and penalties:", function()
  for _, penalty in ipairs(penalties) do
    it(penalty[1], function()
      for _, loss in ipairs(losses) do
        local first, taken, values = nil, nil, {}
        for _, solver in ipairs(solvers) do
          local what = ("%s, %s, %s"):format(solver, label(loss), penalty[1])
          local lambda = first and first.lambda
          local path, why = try(loss, penalty, { solver = solver, lambda = lambda })
          if path then
            certified(path, what)
            first, taken = first or path, taken or what
            values[what] = path.value
          else
            local named = why:find("solver '" .. solver .. "'", 1, true)
            assert(named or why:find "coupled", what .. " is refused with: " .. why)
          end
        end
        local scale = first and math.max(math.abs(first.value[1]), 1e-3)
        for what, value in pairs(values) do
          close(value, first.value, 3 * TOL * scale, what .. " and " .. taken)
        end
        if not first then assert(loss.kinked, label(loss) .. " has no solver") end
      end
    end)
  end
end)

describe("one problem,", function()
  local pairs_of = {
    { losses[1], penalties[5] }, { losses[2], penalties[6] }, { losses[9], penalties[1] },
    { losses[9], { "grouped", P.group_lasso { by = "input" } } }, { losses[10], penalties[3] },
    { losses[3], penalties[5] }, { losses[4], penalties[13] }, { losses[1], penalties[1] },
    { losses[7], penalties[3] }, { losses[1], penalties[2] }, { losses[8], penalties[5] },
  }
  for _, pair in ipairs(pairs_of) do
    local loss, penalty = pair[1], pair[2]
    -- an interior point ends where rounding rules its last steps
    local bound = loss.kinked and 1e-5 or 1e-8
    local name = ("%s with %s: "):format(label(loss), penalty[1])
    for _, standardize in ipairs { false, true } do
      local how = standardize and "standardised" or "as it is"
      it(name .. "compressed as dense, " .. how, function()
        local tight = { tol = 1e-12, standardize = standardize }
        local dense = try(loss, penalty, tight)
        tight.x, tight.lambda = sparse, dense.lambda
        local other = try(loss, penalty, tight)
        close(dense.coef, other.coef, bound, "coefficients")
        if not loss.kinked then close(dense.intercept, other.intercept, bound, "intercepts") end
      end)
    end
    it(name .. "float32 as float64", function()
      local wide = try(loss, penalty, { tol = 1e-9 })
      local narrow = try(loss, penalty, { tol = 1e-9, x = x:float(), lambda = wide.lambda })
      close(wide.coef, narrow.coef, 1e-4, "coefficients")
    end)
  end
end)

describe("scattered entries, compressed as dense:", function()
  for _, k in ipairs { 1, 2, 4, 5 } do
    for _, penalty in ipairs { penalties[1], penalties[3] } do
      local loss = losses[k]
      it(("%s with %s"):format(label(loss), penalty[1]), function()
        local tight = { tol = 1e-11, standardize = false, x = scattered }
        local dense = assert(try(loss, penalty, tight))
        tight.x, tight.lambda = lariat.sparse.csc(scattered), dense.lambda
        local other = try(loss, penalty, tight)
        certified(other, "compressed")
        close(dense.value, other.value, 1e-9, "values")
      end)
    end
  end
end)
