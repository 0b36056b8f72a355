--- What paths and fits share: predictions, refits, coefficients by name.
-- @module lariat.glm.model

local core = require "lariat.core"
local ask = require "lariat.glm.ask"
local response = require "lariat.glm.response"
local values = require "lariat.glm.values"
local options = require "lariat.options"
local P = require "lariat.penalty"
local raise = require "lariat.glm.fail".raise

local model = {}

-- What every result knows of the model.
model.ABOUT = {
  "family", "family_params", "k", "n", "p", "labels", "label_dtype", "names", "classes",
  "penalty", "standardize", "weighted", "compat", "ask",
}

--- What is known of the model that a question is about.
-- @local
function model.about(q)
  return {
    family = q.family, family_params = q.family_params, k = q.k, n = q.n, p = q.p,
    labels = q.labels, label_dtype = q.label_dtype, names = q.names, classes = q.classes,
    penalty = q.penalty, standardize = q.ask.standardize or false,
    weighted = q.ask.weights ~= nil, compat = q.given.compat, ask = q.ask,
  }
end

-- The matrix to predict for.
local function matrix(self, x)
  if type(x) == "table" and x.x ~= nil then x = x.x end
  if not core.is_sparse(x) then
    x = values.tensor("predict: x", x)
    if x.ndim == 1 and self.p > 1 and x.numel == self.p then x = x:reshape(1, self.p) end
  end
  if x.ndim ~= 2 or x.shape[2] ~= self.p then
    raise("predict: x is (%s); this was fitted to %d columns", table.concat(x.shape, ", "),
      self.p)
  end
  return core.is_sparse(x) and x or x:double()
end

-- X B for B (p) or (p, m)
local function product(x, b)
  if not core.is_sparse(x) then return x:matmul(b) end
  if b.ndim == 1 then return x:mv(b) end
  local columns = {}
  for l = 1, b.shape[2] do columns[l] = x:mv(b[{ {}, l }]:contiguous()) end
  return core.op.stack(columns, 2)
end

-- Linear predictors: (m), (m, L), (m, k) or (m, k, L), as coef has dimensions.
function model.link(self, x, coef, intercept, offset)
  x = matrix(self, x)
  local shape = coef.shape
  local eta = product(x, coef.ndim == 3 and coef:reshape(self.p, -1) or coef)
  if coef.ndim == 3 then eta = eta:reshape(x.shape[1], shape[2], shape[3]) end
  eta = eta + intercept
  if offset == nil then
    if self.ask.offset then raise "predict: the fit has an offset; give offset = for x too" end
    return eta
  end
  offset = self.k == 1 and values.numbers("offset", offset, x.shape[1])
    or values.matrix("offset", offset, x.shape[1])
  while offset.ndim < eta.ndim do offset = offset:unsqueeze(-1) end
  return eta + offset
end

--- Predictions from coefficients.
-- @local
function model.predict(self, x, coef, intercept, given)
  local o = options.check("predict", given, { "type", "offset" }, 0)
  local eta = model.link(self, x, coef, intercept, o.offset)
  return response.from(self, eta, o.type or "response")
end

-- Coefficients by name --------------------------------------------------------------------

local function name_of(self, j) return self.names and self.names[j] or "x" .. j end

local function class_of(self, c)
  if self.k == 1 then return nil end
  return self.classes and self.classes[c] or c
end

--- The largest coefficients.
-- @local
function model.largest(self, most)
  local flat = self.coef:reshape(-1)
  local kept = flat:ne(0):count_nonzero():item()
  local out = {}
  local n = math.min(most or kept, kept)
  if n == 0 then return out end
  local _, index = flat:abs():topk(n)
  for i, at in ipairs(index:totable()) do
    local j, c = (at - 1) // self.k + 1, (at - 1) % self.k + 1
    out[i] = { name = name_of(self, j), class = class_of(self, c), value = flat[at], index = j }
  end
  return out
end

-- Refits ----------------------------------------------------------------------------------

-- The core's answer for some lambdas as a list of the fields of its points.
local function first_point(result, l)
  local fields = { status = result.status[l], solver = result.solver }
  for _, key in ipairs { "lambda", "loss", "value", "gap", "kkt", "dev_ratio", "df",
    "iterations" } do
    fields[key] = result[key][l]
  end
  local all = {}
  for d = 1, result.coef.ndim - 1 do all[d] = {} end
  all[#all + 1] = l
  fields.coef = result.coef[all]:contiguous()
  fields.intercept = result.intercept.ndim == 2 and result.intercept[{ {}, l }]:contiguous()
    or result.intercept[l]
  return fields
end
model.point = first_point

--- Refits without a penalty what is not 0.
-- @local
function model.debias(self)
  local used = self.coef:ne(0)
  if used.ndim == 2 then used = used:any(2) end
  local zero = core.zeros(self.p, { dtype = "float64" })
  local a = ask.with(self.ask, {
    factor = core.op.where(used, zero, zero + math.huge), penalty = P.l1(),
    lambda = core.ones(1, { dtype = "float64" }), early_end = false,
  })
  a.solver = nil -- which was chosen for another penalty
  local fields = first_point(core.glm_path(a), 1)
  fields.lambda, fields.debiased = self.lambda, true
  return model.Fit.new(self, fields)
end

--- Between a fit and its refit.
-- @local
function model.relax(self, gamma)
  if type(gamma) ~= "number" or not (gamma >= 0 and gamma <= 1) then
    raise("relax: gamma = %s; it lies in [0, 1]", tostring(gamma))
  end
  local free = model.debias(self)
  if gamma == 0 then return free end
  free.coef = self.coef * gamma + free.coef * (1 - gamma)
  free.intercept = self.intercept * gamma + free.intercept * (1 - gamma)
  for _, key in ipairs { "loss", "value", "gap", "kkt", "dev_ratio" } do free[key] = nil end
  free.status = "relaxed"
  return free
end

return model
