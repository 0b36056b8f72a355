--- Can a value be called: a function, or a table that stands for one?
-- @module lariat.train.callable

--- Is it a function, or has it a `__call`?
-- @param f anything
-- @treturn boolean
-- @usage assert(require "lariat.train.callable"(print))
local function is_callable(f)
  if type(f) == "function" then return true end
  local mt = getmetatable(f)
  return type(mt) == "table" and mt.__call ~= nil
end

return is_callable
