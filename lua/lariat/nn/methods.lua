--- Methods of models; see @{lariat.nn}.
-- @submodule lariat.nn

local core = require "lariat.core"
local options = require "lariat.options"

local methods = core.module_methods

--- The output for an input: `net(x)` and `net:forward(x)` are the same.
-- @function model:forward
-- @tparam tensor x
-- @treturn tensor
-- @raise when x does not fit a layer, whose place and kind the message names
-- @usage lariat.nn.linear(3, 4):forward(lariat.ones(2, 3))

--- Walks over the parameters: whole name, tensor, kind (`"weight"`, `"bias"` or `"gain"`). What
-- is shared comes once.
-- @function model:parameters
-- @treturn function an iterator
-- @usage for name, p in lariat.nn.linear(3, 4):parameters() do print(name, p.shape[1]) end

--- One parameter by its whole name.
-- @function model:parameter
-- @tparam string name
-- @treturn tensor
-- @raise when there is none of that name (lists what there is)
-- @usage lariat.nn.linear(3, 4):parameter("weight")

--- Walks over the buffers: whole name, tensor.
-- @function model:buffers
-- @treturn function an iterator
-- @usage for name, b in lariat.nn.batch_norm(4):buffers() do print(name, b) end

--- One buffer by its whole name.
-- @function model:buffer
-- @tparam string name
-- @treturn tensor
-- @usage lariat.nn.batch_norm(4):buffer("running_mean")

--- Walks over the layers directly inside: name, layer. `net[1]`, `net[-1]` and `net.name` are
-- single ones, `#net` their number.
-- @function model:children
-- @treturn function an iterator
-- @usage for name in lariat.nn.residual { lariat.nn.relu() }:children() do print(name) end

--- Sets training mode (or evaluation) for the model and every layer inside.
-- @function model:train
-- @tparam[opt=true] boolean on
-- @return the model
-- @usage lariat.nn.dropout():train(false)

--- Sets evaluation mode for the model and every layer inside.
-- @function model:eval
-- @return the model
-- @usage assert(not lariat.nn.dropout():eval().training)

--- Changes the dtype of parameters and buffers, which stay the same tensors.
-- @function model:to
-- @tparam string dtype  `"float32"` or `"float64"`
-- @return the model
-- @usage lariat.nn.linear(3, 4):to("float64")

--- Sets the name under which a container lists a layer, instead of its number.
-- @function model:named
-- @tparam ?string name  nil takes it away
-- @return the layer
-- @raise on a name that is empty, begins with a digit or holds `.`, `*` or `?`
-- @usage lariat.nn.linear(3, 4):named("first")

--- A copy with parameters and buffers of its own, and the same fields where it is in Lua.
-- @function model:clone
-- @return a model
-- @usage local copy = lariat.nn.linear(3, 4):clone()

--- The shape of the output for an input of some shape.
-- @function model:output_shape
-- @tparam ?{integer,...} shape  -1 for sizes that are not known; nil when nothing is
-- @treturn ?{integer,...} the same for the output
-- @usage lariat.nn.linear(3, 4):output_shape { -1, 3 }   -- { -1, 4 }

--- What made the layer: `"linear(784, 300, {bias = false})"`.
-- @function model:signature
-- @treturn string
-- @usage assert(lariat.nn.dropout(0.2):signature() == "dropout(0.2)")

--- The number of elements of all parameters, shared ones counted once.
-- @function model:num_parameters
-- @tparam[opt=false] boolean trainable  leave out what is frozen
-- @treturn integer
-- @usage
-- local lariat = require "lariat"
-- assert(lariat.nn.linear(784, 300):num_parameters() == 235500)
function methods:num_parameters(trainable)
  local n = 0
  for _, p in self:parameters() do
    if p.requires_grad or not trainable then n = n + p.numel end
  end
  return n
end

--- Forgets all gradients.
-- @function model:zero_grad
-- @return the model
-- @usage
-- local lariat = require "lariat"
-- local net = lariat.nn.linear(3, 1)
-- net(lariat.ones(2, 3)):sum():backward()
-- assert(net:zero_grad().weight.grad == nil)
function methods:zero_grad()
  for _, p in self:parameters() do p.grad = nil end
  return self
end

--- Calls a function on every layer inside, then on the model itself.
-- @function model:apply
-- @tparam function fn  `function(layer)`
-- @return the model
-- @usage
-- local lariat = require "lariat"
-- local nn = lariat.nn
-- local net = nn.sequential { nn.linear(3, 4), nn.relu(), nn.linear(4, 1) }
-- net:apply(function(m)
--   if m.kind == "linear" then nn.init.orthogonal(m.weight) end
-- end)
function methods:apply(fn)
  for _, child in self:children() do child:apply(fn) end
  fn(self)
  return self
end

-- What freeze and unfreeze share: set requires_grad of the parameters that `which` names.
local function set_trainable(owner, net, which, on)
  local patterns = type(which) == "table" and which or { which or "*" }
  for _, pattern in ipairs(patterns) do
    if type(pattern) ~= "string" then
      error(("%s: a glob or a list of globs is expected, not a %s")
        :format(owner, type(pattern)), 3)
    end
    local hit, names = false, {}
    for name, p in net:parameters() do
      names[#names + 1] = name
      if core.glob(pattern, name) then
        hit = true
        p.requires_grad = on
      end
    end
    if not hit and which then
      error(("%s: '%s' matches no parameter; there are %s")
        :format(owner, pattern, #names > 0 and table.concat(names, ", ") or "none"), 3)
    end
  end
  return net
end

--- Keeps parameters as they are: no gradient, no step, no penalty moves them.
-- @function model:freeze
-- @tparam ?string|{string,...} which  a glob (`"1.*"`) or a list of them; all when left out
-- @return the model
-- @raise when a glob matches no parameter (lists what there is)
-- @usage
-- local lariat = require "lariat"
-- local nn = lariat.nn
-- local net = nn.sequential { nn.linear(3, 4), nn.relu(), nn.linear(4, 1) }
-- net:freeze("1.*")
-- assert(net:num_parameters(true) == 5)
function methods:freeze(which) return set_trainable("freeze", self, which, false) end

--- Undoes `freeze`.
-- @function model:unfreeze
-- @tparam ?string|{string,...} which  as for `freeze`
-- @return the model
-- @usage
-- local lariat = require "lariat"
-- local net = lariat.nn.linear(3, 4):freeze():unfreeze("weight")
-- assert(net.weight.requires_grad and not net.bias.requires_grad)
function methods:unfreeze(which) return set_trainable("unfreeze", self, which, true) end

--- Copies of all parameters and buffers.
-- @function model:state
-- @treturn table name -> tensor
-- @usage
-- local lariat = require "lariat"
-- local net = lariat.nn.linear(3, 4)
-- local before = net:state()
-- net:load_state(before)
function methods:state()
  local state = {}
  for name, p in self:parameters() do state[name] = p:detach():clone() end
  for name, b in self:buffers() do state[name] = b:detach():clone() end
  return state
end

local function shape_text(t) return "(" .. table.concat(t.shape, ", ") .. ")" end

local function check_state(state, name, p)
  local v = state[name]
  if not core.is_tensor(v) then
    error(("load_state: '%s' is missing"):format(name), 3)
  elseif shape_text(v) ~= shape_text(p) then
    error(("load_state: '%s' has shape %s, the model's has %s")
      :format(name, shape_text(v), shape_text(p)), 3)
  end
end

--- Writes stored values into the parameters and buffers. Nothing is changed unless all fit.
-- @function model:load_state
-- @tparam table state  name -> tensor, as `state` gives it
-- @return the model
-- @raise on a missing or unknown name, or a shape that differs
-- @usage
-- local lariat = require "lariat"
-- local nn = lariat.nn
-- local a, b = nn.linear(3, 4), nn.linear(3, 4)
-- b:load_state(a:state())
function methods:load_state(state)
  local own, names = {}, {}
  if type(state) ~= "table" then
    error(("load_state: a table name -> tensor is expected, not a %s"):format(type(state)), 2)
  end
  for name, p in self:parameters() do own[name] = p end
  for name, b in self:buffers() do own[name] = b end
  for name, p in pairs(own) do
    check_state(state, name, p)
    names[#names + 1] = name
  end
  for name in pairs(state) do
    if not own[name] then
      error(("load_state: unknown name '%s'; did you mean '%s'?")
        :format(tostring(name), core.nearest(tostring(name), names)), 2)
    end
  end
  core.no_grad(function()
    for name, p in pairs(own) do p:copy_(state[name]) end
  end)
  return self
end

local function collect(m, list)
  list[#list + 1] = { module = m, training = m.training }
  for _, child in m:children() do collect(child, list) end
  return list
end

-- Parents come before their children, so each layer gets its own mode back.
local function restore(list)
  for _, entry in ipairs(list) do entry.module:train(entry.training) end
end

local function in_batches(net, x, size)
  local n = x.ndim > 0 and x.shape[1] or 0
  if n <= size then return net(x) end
  local parts = {}
  for first = 1, n, size do
    parts[#parts + 1] = net(x:narrow(1, first, math.min(size, n - first + 1)))
  end
  return core.op.cat(parts, 1)
end

--- The output in evaluation mode, with no derivative recorded, batch by batch. Afterwards,
-- and after an error, the mode of every layer is what it was.
-- @function model:predict
-- @tparam tensor x  (n, ...)
-- @tparam ?table opts  `batch_size` (1024)
-- @treturn tensor (n, ...)
-- @usage
-- local lariat = require "lariat"
-- local net = lariat.nn.sequential { lariat.nn.linear(3, 2), lariat.nn.dropout() }
-- print(net:predict(lariat.randn(5, 3)))
function methods:predict(x, opts)
  opts = options.check("predict", opts, { "batch_size" })
  local size = options.number("predict", opts, "batch_size", 1024, 1)
  if not core.is_tensor(x) then
    error(("predict: a tensor is expected, not a %s"):format(type(x)), 2)
  end
  local modes = collect(self, {})
  self:eval()
  local ok, y = pcall(core.no_grad, in_batches, self, x, size)
  restore(modes)
  if not ok then error(y, 0) end
  return y
end
