--- A loss written in Lua as a family: its derivatives are derived.
-- @module lariat.glm.custom

local core = require "lariat.core"
local raise = require "lariat.glm.fail".raise

local function losses(fn, eta, y)
  local each = fn(eta, y)
  if not core.is_tensor(each) or each.numel ~= eta.numel then
    raise("family: the loss must return one number for each of %d rows, not %s", eta.numel,
      core.is_tensor(each) and "(" .. table.concat(each.shape, ", ") .. ")" or type(each))
  end
  return each:reshape(-1)
end

-- The slope of a sum; zeros where it does not depend on eta.
local function slope(f, eta, again)
  if not f.requires_grad then return core.zeros(eta.shape, { dtype = "float64" }) end
  return core.grad(f:sum(), { eta }, { create_graph = again })[1]
end

--- `function(eta, y) -> losses` as the core calls it: losses, slopes and curvatures of rows.
-- @tparam function fn  of two float64 tensors (n), to a tensor (n) of losses
-- @treturn function (eta, y, derivatives) -> each, d1, d2
-- @usage
-- local rows = require "lariat.glm.custom"(function(eta, y) return (eta - y):square() end)
-- print(rows(lariat.zeros(3), lariat.ones(3), true))
return function(fn)
  return function(eta, y, derivatives)
    if not derivatives then
      return core.no_grad(function() return losses(fn, eta, y):detach():contiguous() end)
    end
    eta = eta:detach():clone()
    eta.requires_grad = true
    return core.enable_grad(function()
      local each = losses(fn, eta, y)
      local first = slope(each, eta, true)
      local second = slope(first, eta, false)
      return each:detach():contiguous(), first:detach():contiguous(),
        second:detach():contiguous()
    end)
  end
end
