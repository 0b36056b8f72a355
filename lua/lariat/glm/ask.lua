--- What is asked of `lariat.glm`: arguments checked and made uniform for the core.
-- @module lariat.glm.ask

local core = require "lariat.core"
local options = require "lariat.options"
local P = require "lariat.penalty"
local values = require "lariat.glm.values"
local response = require "lariat.glm.response"
local raise = require "lariat.glm.fail".raise

local ask = {}

local KNOWN = {
  "data", "x", "y", "status", "names", "classes", "family", "penalty", "lambda", "n_lambda",
  "lambda_min_ratio", "intercept", "standardize", "weights", "offset", "lower", "upper", "tol",
  "max_iter", "solver", "threads", "compat", "progress", "early_end",
}

-- Parameters of families are keys too.
local PARAMS = {
  quantile = { "tau", "width" }, huber = { "delta" }, cox = { "ties" },
}

local function keys(more)
  local all = table.move(KNOWN, 1, #KNOWN, 1, {})
  for _, names in pairs(PARAMS) do table.move(names, 1, #names, #all + 1, all) end
  return table.move(more, 1, #more, #all + 1, all)
end

-- The matrix ------------------------------------------------------------------------------

local function read_x(x)
  if x == nil then raise "x is missing" end
  if core.is_sparse(x) then return x end
  x = values.tensor("x", x)
  if x.ndim ~= 2 then
    raise("x is %s; a matrix (n, p) is needed, one row a sample", values.shape_text(x))
  end
  return x.dtype:find "^float" and x or x:double()
end

local function read_names(names, p)
  if names == nil then return nil end
  if type(names) ~= "table" or #names ~= p then
    raise("names: %s for %d columns", type(names) == "table" and #names or type(names), p)
  end
  return names
end

-- Family ----------------------------------------------------------------------------------

local function names_of(list)
  local out = {}
  for k, entry in ipairs(list) do out[k] = entry.name end
  return out
end

local function known_name(what, name, list)
  local names = names_of(list)
  for _, known in ipairs(names) do
    if known == name then return name end
  end
  if type(name) ~= "string" then raise("%s is a name, not a %s", what, type(name)) end
  table.sort(names)
  raise("there is no %s '%s'; did you mean '%s'? There are %s", what, name,
    core.nearest(name, names), table.concat(names, ", "))
end

local function read_family(q, given)
  local family = given.family or "gaussian"
  if type(family) == "function" then
    q.custom, q.family = family, "custom"
    q.ask.custom = require "lariat.glm.custom"(family)
  elseif family == "custom" then
    raise "family: give the loss itself, function(eta, y) -> losses"
  else
    q.family = known_name("family", family, core.glm_families())
  end
  q.ask.family = q.family
  local own = {}
  for _, name in ipairs(PARAMS[q.family] or {}) do own[name] = given[name] end
  for other, names in pairs(PARAMS) do
    for _, name in ipairs(names) do
      if other ~= q.family and given[name] ~= nil then
        raise("%s belongs to family '%s', not '%s'", name, other, q.family)
      end
    end
  end
  q.family_params = own
  q.ask.family_params = next(own) and own or nil
end

-- Penalty ---------------------------------------------------------------------------------

local ENTRIES = {}
for _, entry in ipairs(P.entries()) do ENTRIES[entry.name] = entry end

local function read_penalty(penalty)
  if penalty == nil then return P.l1() end
  if not P.is(penalty) then
    raise("penalty must be a penalty, such as lariat.penalty.l1(), not a %s", type(penalty))
  end
  for _, term in ipairs(penalty:describe()) do
    if type(term.lambda) == "function" then
      raise("%s: its lambda is a function; a path needs a number", term.name)
    elseif ENTRIES[term.kind] and ENTRIES[term.kind].forward then
      raise("%s needs a model to look into; here there are coefficients alone", term.name)
    elseif term.on ~= "weight" then
      raise("%s: leave out :on; here a penalty acts on the coefficients", term.name)
    end
  end
  return penalty
end

--- Is every term of a penalty convex? (Those written in Lua are taken to be.)
-- @local
function ask.is_convex(penalty)
  for _, term in ipairs(penalty:describe()) do
    local entry = ENTRIES[term.kind]
    if entry and not entry.convex then return false end
  end
  return true
end

-- Numbers ---------------------------------------------------------------------------------

local function boolean(given, key)
  local v = given[key]
  if v ~= nil and type(v) ~= "boolean" then
    raise("%s must be true or false, not %s", key, tostring(v))
  end
  return v
end

local function number(given, key, lo, hi, whole)
  local v = given[key]
  if v == nil then return nil end
  if type(v) ~= "number" or whole and not math.tointeger(v) then
    raise("%s must be a%s number, not %s", key, whole and " whole" or "", tostring(v))
  elseif not (v >= lo and v <= hi) then
    raise("%s = %s is outside [%g, %g]", key, v, lo, hi)
  end
  return whole and math.tointeger(v) or v
end

local function column_of(q, mask)
  local j = values.first_row(mask)
  return q.names and q.names[j] or "column " .. j, j
end

-- A bound that is NaN, or infinite on the wrong side.
local function check_bound(q, key, bound, away)
  if not bound then return end
  if bound:isnan():any():item() then
    raise("%s is NaN at column %d", key, values.first_row(bound:isnan()))
  elseif bound:eq(away):any():item() then
    raise("%s = %s at %s: no coefficient fits", key, away, (column_of(q, bound:eq(away))))
  end
end

local function read_bounds(q, given)
  local a = q.ask
  a.lower = values.columns("lower", given.lower, q.p)
  a.upper = values.columns("upper", given.upper, q.p)
  check_bound(q, "lower", a.lower, math.huge)
  check_bound(q, "upper", a.upper, -math.huge)
  if a.lower and a.upper and a.lower:gt(a.upper):any():item() then
    local where, j = column_of(q, a.lower:gt(a.upper))
    raise("lower = %g is above upper = %g at %s: no coefficient fits", a.lower[j], a.upper[j],
      where)
  end
end

local function read_offset(q, given)
  if given.offset == nil then return nil end
  if q.k == 1 then return values.numbers("offset", given.offset, q.n) end
  local t = values.matrix("offset", given.offset, q.n)
  if t.shape[2] ~= q.k then
    raise("offset is %s; (%d, %d) is needed", values.shape_text(t), q.n, q.k)
  end
  return t
end

local function read_solving(q, given)
  local a = q.ask
  a.lambda = values.lambdas(given.lambda)
  a.n_lambda = number(given, "n_lambda", 1, 1e6, true)
  a.lambda_min_ratio = number(given, "lambda_min_ratio", 1e-12, 1)
  a.tol = number(given, "tol", 0, 1)
  a.max_iter = number(given, "max_iter", 1, math.maxinteger, true)
  a.threads = number(given, "threads", 1, 1024, true)
  a.intercept, a.standardize = boolean(given, "intercept"), boolean(given, "standardize")
  a.early_end = boolean(given, "early_end")
  if given.solver ~= nil then
    a.solver = known_name("solver", given.solver, core.glm_solvers())
  end
end

-- Constraints alone have no strength for lambda to multiply: one point is all of their path.
local function constraints_alone(penalty)
  for _, term in ipairs(penalty:describe()) do
    local entry = ENTRIES[term.kind]
    if not (entry and entry.constraint) then return false end
  end
  return true
end

-- Losses and penalties written in Lua stay on its thread.
local function calls_lua(q)
  if q.custom then return true end
  for _, term in ipairs(q.penalty:describe()) do
    if term.spec then return true end
  end
  return false
end

-- All of it -------------------------------------------------------------------------------

-- x, y, names and classes of a data set, where they are not given by themselves.
local function from_data(given)
  local d = given.data
  if d == nil then return given end
  if type(d) ~= "table" or d.x == nil then
    raise("data must be a data set, or a table with x and y, not a %s", type(d))
  end
  local out = {}
  for _, key in ipairs { "x", "y", "names", "classes", "status" } do out[key] = d[key] end
  for key, v in pairs(given) do out[key] = v end
  return out
end

--- Reads a keyword table.
-- @tparam string owner  for messages
-- @tparam table given
-- @tparam {string,...} more  keys besides those of every call
-- @treturn table what the core is asked (`ask`), and what is known about it
-- @local
function ask.read(owner, given, more)
  if type(given) ~= "table" then
    raise("%s takes one table of named arguments, not a %s", owner, type(given))
  end
  local compat = given.compat and require "lariat.glm.compat".find(given.compat)
  local known = keys(more)
  if compat then table.move(compat.keys, 1, #compat.keys, #known + 1, known) end
  options.check(owner, given, known, 0)
  given = from_data(given)
  local x = read_x(given.x)
  local q = { ask = { x = x }, n = x.shape[1], p = x.shape[2], given = given }
  q.names, q.classes = read_names(given.names, q.p), given.classes
  read_family(q, given)
  response.read(q, given.y, given)
  q.ask.k = q.k
  q.ask.weights = values.weights(given.weights, q.n)
  q.ask.offset = read_offset(q, given)
  read_bounds(q, given)
  read_solving(q, given)
  q.penalty = read_penalty(given.penalty)
  if compat then compat.translate(q, given) end
  if not q.ask.lambda and constraints_alone(q.penalty) then
    q.ask.lambda = core.ones(1, { dtype = "float64" })
  end
  if calls_lua(q) then q.ask.threads = 1 end
  q.ask.penalty = q.penalty
  return q
end

-- "column 3" with its name, where columns have names.
local function named(q, why)
  if type(why) ~= "string" or not q.names then return why end
  return (why:gsub("column (%d+)", function(j)
    local name = q.names[tonumber(j)]
    return name and ("column %s (%s)"):format(j, name)
  end, 1))
end

--- The core's path; its errors name columns.
-- @local
function ask.solve(q, a, told)
  local ok, result = pcall(core.glm_path, a, told)
  if not ok then error(named(q, result), 0) end
  return result
end

--- The same question with other fields.
-- @local
function ask.with(a, change)
  local out = {}
  for key, v in pairs(a) do out[key] = v end
  for key, v in pairs(change) do out[key] = v end
  return out
end

return ask
