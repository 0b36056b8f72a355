--- Derivatives against central differences, where the variables live inside something else (the
-- parameters of a model): `lariat.check_gradient` is for functions of their arguments.
-- @module spec.support.differences

local lariat = require "lariat"

local differences = {}

local function near(derived, difference, tol, what)
  local room = tol * math.max(1, math.abs(difference))
  if not (math.abs(derived - difference) <= room) then
    error(("%s is %.10g by derivation and %.10g by differences")
      :format(what, derived, difference), 0)
  end
end

-- Calls visit(flat view, position, label) for at most `most` elements of each variable.
local function each_element(variables, most, visit)
  for i, v in ipairs(variables) do
    local flat = v:detach():view(-1)
    local step = math.max(1, v.numel // most)
    for k = 1, v.numel, step do visit(flat, k, i, ("variable %d, element %d"):format(i, k)) end
  end
end

local function shifted(flat, k, by, f)
  local old = flat[k]
  local up, down = old + by, old - by
  local function at(value)
    lariat.no_grad(function() flat[k] = value end)
    local out = f()
    lariat.no_grad(function() flat[k] = old end)
    return out
  end
  return at(up), at(down), up - down
end

-- sum over the variables of gradient times fixed directions
local function along(f, variables, directions, options)
  local g = lariat.grad(f(), variables, options)
  local s = 0
  for i = 1, #variables do s = s + (g[i] * directions[i]):sum() end
  return s
end

--- Checks first and second derivatives.
-- @tparam function f  no arguments; one number, as a tensor, the same at each call
-- @tparam {tensor,...} variables  float64 leaves on which f depends, contiguous
-- @tparam ?table options  `eps` (1e-5), `tol` (1e-5), `most` (40 elements of each), `order` (2)
function differences.check(f, variables, options)
  options = options or {}
  local eps, tol, most = options.eps or 1e-5, options.tol or 1e-5, options.most or 40
  local g = lariat.grad(f(), variables)
  each_element(variables, most, function(flat, k, i, what)
    local up, down, gap = shifted(flat, k, eps, function() return f():item() end)
    near(g[i]:reshape(-1)[k], (up - down) / gap, tol, "gradient: " .. what)
  end)
  if options.order == 1 then return end
  local directions = {}
  for i, v in ipairs(variables) do
    directions[i] = lariat.tensor(v.shape[1] and v:totable() or v:item(), { dtype = v.dtype })
    directions[i] = (directions[i] * 12.9898 + i):sin()
  end
  local s = along(f, variables, directions, { create_graph = true })
  local h = s.requires_grad and lariat.grad(s, variables)
  each_element(variables, most, function(flat, k, i, what)
    local up, down, gap = shifted(flat, k, eps, function()
      return along(f, variables, directions):item()
    end)
    local derived = h and h[i]:reshape(-1)[k] or 0
    near(derived, (up - down) / gap, tol, "second derivative: " .. what)
  end)
end

return differences
