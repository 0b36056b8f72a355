--- Layers written in Lua; see @{lariat.nn}.
-- @submodule lariat.nn

local core = require "lariat.core"

local methods = core.module_methods

local kinds = { weight = true, bias = true, gain = true }
local known = { "params", "buffers", "children", "kinds", "name", "forward" }
local reserved = { training = true, kind = true, label = true, forward = true }

local function check_name(name, what)
  if type(name) ~= "string" or name == "" or name:find "[.*?]" then
    error(("nn.module: %s has a key %s; names are strings without '.', '*' and '?'")
      :format(what, tostring(name)), 4)
  elseif methods[name] or reserved[name] then
    error(("nn.module: '%s' in %s is already what a model calls something else")
      :format(name, what), 4)
  end
end

local function sorted_names(list, what)
  local names = {}
  for name in pairs(list) do
    check_name(name, what)
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

-- A leaf that can take a gradient, or one sentence.
local function check_param(name, t)
  if not core.is_tensor(t) then
    error(("nn.module: params.%s is a %s, not a tensor"):format(name, type(t)), 4)
  elseif t.dtype ~= "float32" and t.dtype ~= "float64" then
    error(("nn.module: params.%s is %s; parameters are float tensors")
      :format(name, t.dtype), 4)
  elseif not t.is_leaf then
    error(("nn.module: params.%s is the result of a computation; use x:detach()")
      :format(name), 4)
  end
end

local function slots_of(spec)
  local slots, given = {}, spec.kinds or {}
  for name, kind in pairs(given) do
    if not (spec.params or {})[name] or not kinds[kind] then
      error(('nn.module: kinds.%s = %s; it names a parameter and is "weight", "bias" or "gain"')
        :format(name, tostring(kind)), 3)
    end
  end
  for _, name in ipairs(sorted_names(spec.params or {}, "params")) do
    check_param(name, spec.params[name])
    slots[#slots + 1] = {
      name = name, tensor = spec.params[name], kind = given[name] or "weight", buffer = false,
    }
  end
  for _, name in ipairs(sorted_names(spec.buffers or {}, "buffers")) do
    if not core.is_tensor(spec.buffers[name]) then
      error(("nn.module: buffers.%s is a %s, not a tensor")
        :format(name, type(spec.buffers[name])), 3)
    end
    slots[#slots + 1] = {
      name = name, tensor = spec.buffers[name], kind = "weight", buffer = true,
    }
  end
  return slots
end

-- Whatever else the table holds becomes a field of the layer: self.eps, self.helper.
local function fields_of(spec)
  local fields, is_known = { forward = spec.forward }, {}
  for _, key in ipairs(known) do is_known[key] = true end
  for key, value in pairs(spec) do
    if not is_known[key] then
      check_name(key, "the table")
      fields[key] = value
    end
  end
  return fields
end

--- A layer written in Lua.
--
-- In `forward`, `self.scale` is the parameter, `self[1]` or `self.name` a child and
-- `self.training` the mode; other fields of the table are fields of `self`, and may be set
-- there. All methods of models work on it. The derivative follows from what forward does. A
-- plain function of a tensor can stand in the list of a container, too.
-- @function module
-- @tparam table spec
--
-- - `forward`: `function(self, x) -> tensor`;
-- - `params`: name -> tensor, the parameters, in the order of their names;
-- - `kinds`: name -> `"weight"` (the default), `"bias"` or `"gain"`;
-- - `buffers`: name -> tensor, saved with the model but not trained;
-- - `children`: a list of layers; `name`: what to call it in print and in messages.
-- @return the layer
-- @raise when forward is missing, or a parameter is no float tensor
-- @usage
-- local lariat = require "lariat"
-- local nn = lariat.nn
-- local gate = nn.module {
--   params = { scale = lariat.ones(10) },
--   forward = function(self, x) return x * self.scale:sigmoid() end,
-- }
-- print(gate(lariat.ones(2, 10)))
local function module(spec)
  if type(spec) ~= "table" then
    error(("nn.module: a table with a forward is expected, not a %s"):format(type(spec)), 2)
  elseif type(spec.forward) ~= "function" then
    error("nn.module: forward is missing: function(self, x) -> tensor", 2)
  end
  local name = spec.name
  if name ~= nil and type(name) ~= "string" then
    error(("nn.module: name must be a string, not a %s"):format(type(name)), 2)
  end
  return core.module(name, slots_of(spec), spec.children or {}, fields_of(spec))
end

return module
