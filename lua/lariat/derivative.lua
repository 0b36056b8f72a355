--- Derivatives of functions: Hessian-vector products, Jacobians, Hessians, and a check by
-- differences. What they take is a function of tensors; a point may be one tensor or a list.
-- @module lariat.derivative

local core = require "lariat.core"

local derivative = {}

-- A point as a list of fresh leaves, and how to call fn with them.
local function leaves(owner, x)
  local single = core.is_tensor(x)
  local list = single and { x } or x
  if type(list) ~= "table" or #list == 0 then
    error(owner .. ": the point must be a tensor or a list of tensors, not a "
      .. type(x), 3)
  end
  local out = {}
  for i, v in ipairs(list) do
    if not core.is_tensor(v) then
      error(("%s: item %d of the point is a %s, not a tensor"):format(owner, i, type(v)), 3)
    elseif v.dtype ~= "float64" and v.dtype ~= "float32" then
      error(("%s: item %d of the point is %s and has no derivative")
        :format(owner, i, v.dtype), 3)
    end
    out[i] = v:detach():clone():requires_grad_(true)
  end
  return out, single
end

-- fn gets one tensor or the list, as it was given; gradients are on whatever the caller set.
local function value(owner, fn, list, single)
  local y = core.enable_grad(fn, single and list[1] or list)
  if not core.is_tensor(y) then
    error(("%s: the function must return a tensor, not a %s"):format(owner, type(y)), 3)
  end
  return y
end

local function shape_text(t) return "(" .. table.concat(t.shape, ", ") .. ")" end

local function scalar(owner, y)
  if y.numel ~= 1 then
    error(("%s: the function must return one number, not a tensor of shape %s")
      :format(owner, shape_text(y)), 3)
  end
  return y
end

local function zeros_like(list)
  local out = {}
  for i, v in ipairs(list) do out[i] = v:detach() * 0 end
  return out
end

local function grad(y, list, options)
  if not y.requires_grad then return zeros_like(list) end
  return core.grad(y, list, options)
end

-- sum_i g_i . v_i
local function dot(g, v)
  local s = 0
  for i = 1, #g do s = s + (g[i] * v[i]:detach()):sum() end
  return s
end

--- The Hessian of a function at a point, times a vector: by the gradient of a gradient.
-- @tparam function fn of a tensor (or a list of them) that returns one number
-- @param w the point: a tensor, or a list of tensors
-- @param v the vector: shaped as w
-- @return what v is: a tensor, or a list of tensors
-- @raise when fn does not return one number, or v is not shaped as w
-- @usage
-- local w = lariat.ones(3)
-- local h = lariat.hvp(function(x) return (x ^ 3):sum() end, w, w)
function derivative.hvp(fn, w, v)
  local list, single = leaves("hvp", w)
  local along = core.is_tensor(v) and { v } or v
  if type(along) ~= "table" or #along ~= #list then
    error(("hvp: the vector must have as many tensors as the point, %d"):format(#list), 2)
  end
  for i, x in ipairs(list) do
    if not core.is_tensor(along[i]) or shape_text(along[i]) ~= shape_text(x) then
      error(("hvp: item %d of the vector must have the shape %s of the point")
        :format(i, shape_text(x)), 2)
    end
  end
  local g = grad(scalar("hvp", value("hvp", fn, list, single)), list, { create_graph = true })
  local h = grad(core.enable_grad(dot, g, along), list)
  return single and h[1] or h
end

-- Rows of derivatives of y's elements, one tensor (out, ...) for each of list.
local function rows(y, list, create_graph)
  local flat = core.enable_grad(y.reshape, y, -1)
  local out = {}
  for i = 1, #list do out[i] = {} end
  for k = 1, y.numel do
    local one = core.enable_grad(y.select, flat, 1, k)
    local g = grad(one, list, { create_graph = create_graph })
    for i = 1, #list do out[i][k] = g[i] end
  end
  for i, v in ipairs(list) do
    local shape = y.shape
    for _, n in ipairs(v.shape) do shape[#shape + 1] = n end
    if y.numel > 0 then
      out[i] = core.op.stack(out[i]):reshape(shape)
    else
      out[i] = core.zeros(shape, { dtype = v.dtype })
    end
  end
  return out
end

--- Every derivative of every output of a function in every input.
-- @tparam function fn of a tensor (or a list of them) that returns a tensor
-- @param x the point: a tensor, or a list of tensors
-- @return a tensor of the output's shape followed by the input's, or a list of those
-- @usage local j = lariat.jacobian(function(x) return x ^ 2 end, lariat.ones(3))   -- (3, 3)
function derivative.jacobian(fn, x)
  local list, single = leaves("jacobian", x)
  local out = rows(value("jacobian", fn, list, single), list)
  return single and out[1] or out
end

--- The second derivatives of a function that returns one number.
-- @tparam function fn of a tensor
-- @param x the point: a tensor
-- @return a tensor of x's shape, twice in a row
-- @usage local h = lariat.hessian(function(x) return (x ^ 3):sum() end, lariat.ones(3))
function derivative.hessian(fn, x)
  if not core.is_tensor(x) then
    error("hessian: the point must be a tensor, not a " .. type(x), 2)
  end
  local list = leaves("hessian", x)
  local y = scalar("hessian", value("hessian", fn, list, true))
  local g = grad(y, list, { create_graph = true })[1]
  return rows(g, list)[1]
end

-- ---- differences ----

local known = { "eps", "tol", "order" }

local function check_options(options)
  for key in pairs(options) do
    local found
    for _, name in ipairs(known) do found = found or name == key end
    if not found then
      error(("check_gradient: unknown key '%s'; did you mean '%s'?")
        :format(tostring(key), core.nearest(tostring(key), known)), 3)
    end
  end
end

-- "item 2, element (1, 3)" of a flat position.
local function place(list, i, k)
  local at, rest = {}, k - 1
  for d = list[i].ndim, 1, -1 do
    local n = list[i].shape[d]
    table.insert(at, 1, rest % n + 1)
    rest = rest // n
  end
  local where = "element (" .. table.concat(at, ", ") .. ")"
  return #list > 1 and ("item %d, %s"):format(i, where) or where
end

-- Compare the gradient of f (of a list, to one number) with central differences.
local function compare(what, f, list, eps, tol)
  local y = f(list)
  local g = grad(y, list)
  for i, x in ipairs(list) do
    local flat, slope = x:detach():view(-1), g[i]:reshape(-1)
    for k = 1, x.numel do
      local old = flat[k]
      local function at(v)
        core.no_grad(function() flat[k] = v end)
        local out = f(list):item()
        core.no_grad(function() flat[k] = old end)
        return out
      end
      local step = eps * math.max(1, math.abs(old))
      local up, down = old + step, old - step
      local difference = (at(up) - at(down)) / (up - down)
      local derived = slope[k]
      local error_ = math.abs(derived - difference)
      if not (error_ <= tol * math.max(1, math.abs(difference))) then
        error(("check_gradient: %s: %s is %.10g by derivation and %.10g by differences")
          :format(what, place(list, i, k), derived, difference), 0)
      end
    end
  end
end

-- Fixed numbers of either sign that favour no direction.
local function weights(t, salt)
  local n = t.numel
  local out = core.zeros(n, { dtype = "float64" })
  for k = 1, n do out[k] = math.sin(12.9898 * k + 78.233 * salt) + 0.1 end
  return out:view(t.shape)
end

-- A function's outputs folded with weights, so that one gradient tests them all.
local function folded(fn, single)
  local function fold(y) return (y:to("float64") * weights(y, 1)):sum() end
  return function(list)
    return core.enable_grad(fold, value("check_gradient", fn, list, single))
  end
end

-- The same for the gradient of a folded function.
local function slope_of(f)
  return function(list)
    local g, v = grad(f(list), list, { create_graph = true }), {}
    for i = 1, #list do v[i] = weights(g[i], i + 1) end
    return core.enable_grad(dot, g, v)
  end
end

--- Compare a function's derivatives with differences, in float64; raise where they disagree.
-- The function may return any shape; its outputs are folded to one number with fixed weights.
-- @tparam function fn of a tensor (or a list of them)
-- @param x the point: a tensor, or a list of tensors; taken to float64
-- @tparam[opt] table options eps = 1e-6 (step, relative above 1), tol = 1e-5 (relative above
-- 1), order = 1 (2 checks second derivatives as well)
-- @return true
-- @raise one sentence with the first element that disagrees and both values
-- @usage lariat.check_gradient(function(x) return x:exp() end, lariat.randn(3))
function derivative.check_gradient(fn, x, options)
  options = options or {}
  check_options(options)
  local point, single = leaves("check_gradient", x)
  for i, v in ipairs(point) do
    point[i] = v:detach():to("float64"):clone():requires_grad_(true)
  end
  local f = folded(fn, single)
  local eps, tol = options.eps or 1e-6, options.tol or 1e-5
  compare("first derivative", f, point, eps, tol)
  if (options.order or 1) >= 2 then
    compare("second derivative", slope_of(f), point, eps, tol)
  end
  return true
end

return derivative
