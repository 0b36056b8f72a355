--- Numbers about a path: information criteria, breakpoints, where it is convex.
-- @module lariat.glm.criteria

local core = require "lariat.core"
local linalg = require "lariat.linalg"
local raise = require "lariat.glm.fail".raise

local criteria = {}

-- -2 log likelihood of each point, up to a constant; n counts rows, or events.
local LIKELIHOOD = {
  gaussian = function(self, n) return (self.loss * 2):log() * n end,
  mgaussian = function(self, n) return (self.loss * 2 / self.k):log() * (n * self.k) end,
  quantile = function(self, n) return self.loss:log() * (2 * n) end,
}
for _, name in ipairs { "binomial", "multinomial", "poisson", "cox" } do
  LIKELIHOOD[name] = function(self, n) return self.loss * (2 * n) end
end

local function rows(self)
  local w = self.ask.weights
  return w and w:sum():item() or self.n
end

-- Coefficients that are not 0: of all predictors.
local function degrees(self)
  if self.k == 1 then return self.df:double() end
  return self.coef:ne(0):double():sum({ 1, 2 })
end

local function log_choose(p, df)
  return core.full(df.shape, p + 1, { dtype = "float64" }):lgamma() - (df + 1):lgamma()
    - (p + 1 - df):lgamma()
end

--- A criterion of every point.
-- @local
function criteria.of(self, name, gamma)
  local minus2 = LIKELIHOOD[self.family]
  if not minus2 then raise("%s: family '%s' is no likelihood", name, self.family) end
  local n, df = rows(self), degrees(self)
  local value = minus2(self, n)
  if name == "aic" then return value + df * 2 end
  if name == "bic" then return value + df * math.log(n) end
  if name ~= "ebic" then raise("there is no criterion '%s'; aic, bic, ebic", tostring(name)) end
  gamma = gamma or 0.5
  if type(gamma) ~= "number" or not (gamma >= 0 and gamma <= 1) then
    raise("ebic: gamma = %s; it lies in [0, 1]", tostring(gamma))
  end
  return value + df * math.log(n) + log_choose(self.p * self.k, df) * (2 * gamma)
end

--- The breakpoints of the lasso.
-- @local
function criteria.knots(self)
  return core.glm_knots(self.ask)
end

-- Convexity -----------------------------------------------------------------------------------

-- The largest downward curvature of each concave penalty.
local CONCAVITY = {
  mcp = function(t) return 1 / t.gamma end,
  scad = function(t) return 1 / (t.a - 1) end,
}

-- Columns `used` of x, centred as the fit has them, over their scale where it standardises.
local function columns(self, used)
  local a = self.ask
  local index = core.arange(1, self.p, { dtype = "int64" })[used]
  local x = core.is_sparse(a.x) and a.x:dense() or a.x
  x = x:index_select(2, index):double()
  local w = a.weights or core.ones(self.n, { dtype = "float64" })
  w = (w / w:sum()):reshape(self.n, 1)
  local mean = (x * w):sum(1, { keepdim = true })
  local scale = a.standardize and ((x - mean):square() * w):sum(1, { keepdim = true }):sqrt()
  if a.intercept ~= false then x = x - mean end
  if scale then x = x / scale end
  return x * w:sqrt()
end

--- The last lambda before the objective stops being convex in the coefficients that are not 0:
-- nil for convex penalties, and where that is not known (other losses, other penalties).
-- @local
function criteria.convex_until(self)
  local terms = self.penalty:describe()
  local concave = #terms == 1 and CONCAVITY[terms[1].kind]
  if not concave or self.family ~= "gaussian" then return nil end
  local limit, last = concave(terms[1]), nil
  for l = 1, #self.status do
    local used = self.coef[{ {}, l }]:ne(0)
    local count = used:count_nonzero():item()
    if count > self.n or count > 300 then return last end
    if count > 0 then
      local z = columns(self, used)
      if linalg.eigh(z:t():matmul(z)):min():item() < limit then return last end
    end
    last = self.lambdas[l]
  end
  return last
end

return criteria
