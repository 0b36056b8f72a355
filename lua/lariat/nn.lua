--- Models: layers, containers, layers written in Lua, initialisers.
--
-- A layer is called with a tensor and gives one: `net(x)`. The first dimension is the batch.
-- Constructors take numbers by position, then a table of named options. Parameters are called
-- `"1.weight"` by the place of their layer, or `"conv.weight"` after `layer:named("conv")`,
-- and come in the order of the layers, weight before bias. A layer starts in training mode.
-- @module lariat.nn
-- @usage
-- local lariat = require "lariat"
-- local nn = lariat.nn
-- local net = nn.sequential {
--   nn.linear(784, 300), nn.relu(), nn.dropout(0.5),
--   nn.linear(300, 10),
-- }
-- print(net)
-- print(net(lariat.randn(32, 784)).shape[2])   --> 10

local core = require "lariat.core"
local options = require "lariat.options"

local nn = {}
for name, make in pairs(core.layer) do nn[name] = make end

-- ---------------------------------------------------------------------------------------
-- Layers (in src/nn, one a file)
-- ---------------------------------------------------------------------------------------

--- Linear map of the last dimension: `y = x W^T + b`. W starts uniform in
-- +-1/sqrt(inputs) unless `init` names an initialiser, and so does b.
-- @function linear
-- @tparam integer inputs
-- @tparam integer outputs
-- @tparam ?table options  `bias` (true), `init`
-- @shape (..., inputs) -> (..., outputs); weight (outputs, inputs), bias (outputs)
-- @raise when the input has another number of features
-- @usage lariat.nn.linear(784, 300, { init = "kaiming_normal", bias = false })

--- Convolution of images: `y[n,o,i,j] = b[o] + sum x[n,c,i+a,j+b] W[o,c,a,b]`, the kernel not
-- turned over. W and b start uniform in +-1/sqrt(inputs / groups * rows * columns of the
-- kernel); `init` names another start for W. The function is `lariat.conv2d(x, w, b, options)`.
-- @function conv2d
-- @tparam integer inputs  channels
-- @tparam integer outputs
-- @tparam integer|{integer,integer} kernel  rows and columns
-- @tparam ?table options  `stride` (1), `padding` (0; zeros on each side, or `"same"`: as many
-- as keep the size, the odd one at the end, or `"valid"`: none), `dilation` (1): each a number
-- or {rows, columns}; `groups` (1) of channels that do not meet, `bias` (true), `init`
-- @shape (n, inputs, h, w) -> (n, outputs, h', w'), h' = (h + 2 padding - dilation (rows - 1) -
-- 1) // stride + 1; weight (outputs, inputs / groups, rows, columns), bias (outputs)
-- @raise when the kernel is larger than the padded input, or channels and groups do not fit
-- @usage lariat.nn.conv2d(1, 32, 3, { padding = "same" })(lariat.randn(8, 1, 28, 28))

--- Convolution of sequences; options as for conv2d, each a number.
-- @function conv1d
-- @tparam integer inputs  channels
-- @tparam integer outputs
-- @tparam integer kernel  taps
-- @tparam ?table options  `stride` (1), `padding` (0, or `"same"`, `"valid"`), `dilation` (1),
-- `groups` (1), `bias` (true), `init`
-- @shape (n, inputs, l) -> (n, outputs, l'); weight (outputs, inputs / groups, taps)
-- @usage lariat.nn.conv1d(4, 8, 5, { stride = 2 })(lariat.randn(3, 4, 100))

--- Transposed convolution, the adjoint of conv2d with the same options: it enlarges images.
-- W and b start uniform in +-1/sqrt(outputs / groups * rows * columns of the kernel).
-- @function conv_transpose2d
-- @tparam integer inputs  channels
-- @tparam integer outputs
-- @tparam integer|{integer,integer} kernel
-- @tparam ?table options  `stride` (1), `padding` (0: rows and columns cut off each side of the
-- result), `output_padding` (0: added at the end, fewer than stride or dilation), `dilation`
-- (1), `groups` (1), `bias` (true), `init`
-- @shape (n, inputs, h, w) -> (n, outputs, h', w'), h' = (h - 1) stride - 2 padding + dilation
-- (rows - 1) + output_padding + 1; weight (inputs, outputs / groups, rows, columns)
-- @source Zeiler, Krishnan, Taylor & Fergus 2010, CVPR
-- @usage lariat.nn.conv_transpose2d(8, 4, 2, { stride = 2 })(lariat.randn(3, 8, 7, 7))

--- The largest of each window. NaN is the largest; padding never is.
-- @function max_pool2d
-- @tparam integer|{integer,integer} kernel  rows and columns of a window
-- @tparam ?table options  `stride` (the kernel), `padding` (0; half the kernel at most),
-- `dilation` (1)
-- @shape (n, c, h, w) -> (n, c, h', w'), sizes as for conv2d
-- @usage lariat.nn.max_pool2d(2)(lariat.randn(8, 3, 28, 28))   -- (8, 3, 14, 14)

--- The mean of each window.
-- @function avg_pool2d
-- @tparam integer|{integer,integer} kernel  rows and columns of a window
-- @tparam ?table options  `stride` (the kernel), `padding` (0; half the kernel at most),
-- `count_include_pad` (true): zeros of the padding count in the mean
-- @shape (n, c, h, w) -> (n, c, h', w'), sizes as for conv2d
-- @usage lariat.nn.avg_pool2d({ 2, 3 }, { stride = 1 })

--- The mean of each of rows x columns parts that are as equal as can be.
-- @function adaptive_avg_pool2d
-- @tparam integer|{integer,integer} size  rows and columns of the output
-- @shape (n, c, h, w) -> (n, c, rows, columns)
-- @usage lariat.nn.adaptive_avg_pool2d(1)(lariat.randn(2, 3, 7, 5))   -- (2, 3, 1, 1)

--- The largest of each of rows x columns parts that are as equal as can be.
-- @function adaptive_max_pool2d
-- @tparam integer|{integer,integer} size  rows and columns of the output
-- @shape (n, c, h, w) -> (n, c, rows, columns)
-- @usage lariat.nn.adaptive_max_pool2d({ 2, 3 })

--- The mean of each channel.
-- @function global_avg_pool
-- @shape (n, c, ...) -> (n, c)
-- @source Lin, Chen & Yan 2014, ICLR
-- @usage lariat.nn.global_avg_pool()(lariat.randn(2, 3, 7, 5))   -- (2, 3)

--- A vector for each id of 1..num, learnt. Starts normal unless `init` says otherwise.
-- @function embedding
-- @tparam integer num
-- @tparam integer dim
-- @tparam ?table options  `init`
-- @shape int64 (n, ...) -> (n, ..., dim); weight (num, dim)
-- @raise on an id outside 1..num, with its row
-- @usage lariat.nn.embedding(1000, 16)(lariat.tensor({ 3, 1 }, { dtype = "int64" }))

--- One row a sample.
-- @function flatten
-- @shape (n, ...) -> (n, p)
-- @usage lariat.nn.flatten()(lariat.ones(2, 3, 4))   -- (2, 12)

--- Each channel (dimension 2) to mean 0 and variance 1 over the batch, then a gain and a bias.
-- In evaluation by running averages, the buffers `running_mean` and `running_var`, of which a
-- batch makes up the share `momentum` (its unbiased variance, as PyTorch has it).
-- @function batch_norm
-- @tparam integer features
-- @tparam ?table options  `eps` (1e-5), `momentum` (0.1), `affine` (true)
-- @shape (n, features, ...) -> the same
-- @source Ioffe & Szegedy 2015, ICML
-- @raise in training on a batch with one value a channel
-- @usage lariat.nn.batch_norm(300, { momentum = 0.05 })

--- Each sample to mean 0 and variance 1 over its last dimensions, then a gain and a bias.
-- @function layer_norm
-- @tparam integer|{integer,...} size  of the last dimension, or of the last dimensions
-- @tparam ?table options  `eps` (1e-5), `affine` (true)
-- @shape (..., size) -> the same
-- @source Ba, Kiros & Hinton 2016, arXiv:1607.06450
-- @usage lariat.nn.layer_norm({ 2, 3 })(lariat.randn(5, 2, 3))

--- Each group of a sample's channels to mean 0 and variance 1, then a gain and a bias for each
-- channel.
-- @function group_norm
-- @tparam integer groups
-- @tparam integer channels
-- @tparam ?table options  `eps` (1e-5), `affine` (true)
-- @shape (n, channels, ...) -> the same
-- @source Wu & He 2018, ECCV
-- @usage lariat.nn.group_norm(2, 4)(lariat.randn(5, 4))

--- `max(x, 0)`.
-- @function relu
-- @usage lariat.nn.relu()

--- x where x > 0, `slope * x` elsewhere.
-- @function leaky_relu
-- @tparam[opt=0.01] number slope
-- @usage lariat.nn.leaky_relu(0.2)

--- x where x > 0, `alpha * (exp(x) - 1)` elsewhere.
-- @function elu
-- @tparam[opt=1] number alpha
-- @source Clevert, Unterthiner & Hochreiter 2016, ICLR
-- @usage lariat.nn.elu()

--- The self-normalising unit, `1.0507 * elu(x, 1.6733)`.
-- @function selu
-- @source Klambauer, Unterthiner, Mayr & Hochreiter 2017, NeurIPS
-- @usage lariat.nn.selu()

--- `x * Phi(x)`, Phi the normal distribution function.
-- @function gelu
-- @tparam[opt="none"] string approximate  `"tanh"`: by tanh instead of erf
-- @source Hendrycks & Gimpel 2016, arXiv:1606.08415
-- @usage lariat.nn.gelu { approximate = "tanh" }

--- `x * sigmoid(x)`.
-- @function silu
-- @usage lariat.nn.silu()

--- The hyperbolic tangent.
-- @function tanh
-- @usage lariat.nn.tanh()

--- `1 / (1 + exp(-x))`.
-- @function sigmoid
-- @usage lariat.nn.sigmoid()

--- `-log(1 + exp(-x))`.
-- @function log_sigmoid
-- @usage lariat.nn.log_sigmoid()

--- `log(1 + exp(beta x)) / beta`.
-- @function softplus
-- @tparam[opt=1] number beta
-- @usage lariat.nn.softplus { beta = 2 }

--- `exp(x) / sum exp(x)` along a dimension.
-- @function softmax
-- @tparam[opt=-1] integer dim
-- @usage lariat.nn.softmax()

--- The logarithm of softmax, exact where softmax underflows.
-- @function log_softmax
-- @tparam[opt=-1] integer dim
-- @usage lariat.nn.log_softmax()

--- x itself.
-- @function identity
-- @usage lariat.nn.identity()

--- In training each element is 0 with probability p, else x / (1 - p). Here and below, draws
-- come from the random stream "dropout", and evaluation gives x itself.
-- @function dropout
-- @tparam[opt=0.5] number p
-- @source Srivastava, Hinton, Krizhevsky, Sutskever & Salakhutdinov 2014, JMLR 15
-- @usage lariat.nn.dropout(0.2)

--- As dropout, but a sample's channel (dimension 2) is dropped as a whole.
-- @function spatial_dropout
-- @tparam[opt=0.5] number p
-- @source Tompson, Goroshin, Jain, LeCun & Bregler 2015, CVPR
-- @usage lariat.nn.spatial_dropout(0.2)

--- Dropout for selu: to its lower limit, keeping mean 0 and variance 1.
-- @function alpha_dropout
-- @tparam[opt=0.5] number p  below 1
-- @source Klambauer, Unterthiner, Mayr & Hochreiter 2017, NeurIPS
-- @usage lariat.nn.alpha_dropout(0.1)

--- A linear layer whose weights are dropped in training, one draw a batch.
-- @function drop_connect
-- @tparam integer inputs
-- @tparam integer outputs
-- @tparam ?table options  `p` (0.5), `bias` (true), `init`
-- @source Wan, Zeiler, Zhang, LeCun & Fergus 2013, ICML
-- @usage lariat.nn.drop_connect(784, 300, { p = 0.3 })

--- x plus normal noise in training.
-- @function gaussian_noise
-- @tparam[opt=0.1] number std
-- @usage lariat.nn.gaussian_noise(0.05)

--- x times normal noise of mean 1 and variance p / (1 - p) in training.
-- @function gaussian_dropout
-- @tparam[opt=0.5] number p  below 1
-- @usage lariat.nn.gaussian_dropout(0.2)

--- As dropout, but a sample is dropped as a whole: at the end of a `residual` its branch is
-- skipped.
-- @function stochastic_depth
-- @tparam[opt=0.5] number p
-- @source Huang, Sun, Liu, Sedra & Weinberger 2016, ECCV
-- @usage lariat.nn.residual { lariat.nn.linear(8, 8), lariat.nn.stochastic_depth(0.1) }

--- Layers one after the other. A plain function of a tensor may stand among them.
-- @function sequential
-- @tparam {layer,...} layers
-- @usage lariat.nn.sequential { lariat.nn.linear(4, 8), lariat.nn.relu() }

--- x + f(x), f the layers one after the other.
-- @function residual
-- @tparam {layer,...} layers
-- @source He, Zhang, Ren & Sun 2016, CVPR
-- @raise when f changes the shape
-- @usage lariat.nn.residual { lariat.nn.linear(8, 8), lariat.nn.tanh() }

--- Branches that read the same input; their outputs are joined along `dim`, or added.
-- @function parallel
-- @tparam table branches  the layers; also `merge` ("concat", or "sum") and `dim` (-1)
-- @usage lariat.nn.parallel { lariat.nn.linear(4, 8), lariat.nn.linear(4, 2) }   -- (n, 10)

--- A layer whose weight is `gain * v / |v|` for each output, v its own weight. The gain starts
-- as |v|.
-- @function weight_norm
-- @param layer  with a weight of two dimensions or more
-- @source Salimans & Kingma 2016, NeurIPS
-- @usage lariat.nn.weight_norm(lariat.nn.linear(4, 8))

--- A layer whose weight is W / sigma, sigma the largest singular value of its own weight W, by
-- the power method: some more rounds of it at each forward pass in training.
-- @function spectral_norm
-- @param layer  with a weight of two dimensions or more
-- @tparam ?table options  `rounds` (1), `eps` (1e-12)
-- @source Miyato, Kataoka, Koyama & Yoshida 2018, ICLR
-- @usage lariat.nn.spectral_norm(lariat.nn.linear(4, 8))

--- Initialisers, by name: each fills a tensor in place and returns it, from the random stream
-- "init". A weight is (out, in, ...). There are `xavier_uniform xavier_normal` (gain = 1),
-- `kaiming_uniform kaiming_normal` (slope = 0, mode = "fan_in" or "fan_out", gain),
-- `lecun_uniform lecun_normal`, `orthogonal` (gain = 1), `uniform` (lo = 0, hi = 1), `normal`
-- (mean = 0, std = 1), `truncated_normal` (mean = 0, std = 1, lo = -2, hi = 2), `zeros`,
-- `ones`, `constant` (value), `eye` (gain = 1) and `sparse` (sparsity = 0.1, std = 0.01). The
-- same names go into a layer's option `init`.
-- @table init
-- @usage
-- local lariat = require "lariat"
-- local w = lariat.nn.init.xavier_normal(lariat.zeros(300, 784), { gain = 2 })
-- local layer = lariat.nn.linear(784, 300, { init = "kaiming_normal" })
nn.init = core.init

local methods = core.module_methods


-- ---------------------------------------------------------------------------------------
-- Layers written in Lua
-- ---------------------------------------------------------------------------------------

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
function nn.module(spec)
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

-- ---------------------------------------------------------------------------------------
-- Methods of models
-- ---------------------------------------------------------------------------------------

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

-- ---------------------------------------------------------------------------------------
-- print(net)
-- ---------------------------------------------------------------------------------------

local function grouped(n)
  local s = tostring(n)
  repeat
    local more
    s, more = s:gsub("^(%d+)(%d%d%d)", "%1,%2")
  until more == 0
  return s
end

local function sizes_text(shape)
  if not shape then return "?" end
  local out = {}
  for d, size in ipairs(shape) do
    out[d] = size >= 0 and tostring(size) or d == 1 and "n" or "?"
  end
  return "(" .. table.concat(out, ", ") .. ")"
end

-- Elements, bytes and frozen elements by the prefix of the names ("2.1."), and in all.
local function tally(net)
  local by, total = {}, { numel = 0, bytes = 0, frozen = 0 }
  local function add(name, t, count)
    local prefix = name:match "^.*%." or ""
    by[prefix] = by[prefix] or { numel = 0, bytes = 0, frozen = 0 }
    for _, sum in ipairs { by[prefix], total } do
      sum.numel = sum.numel + (count and t.numel or 0)
      sum.frozen = sum.frozen + (count and not t.requires_grad and t.numel or 0)
      sum.bytes = sum.bytes + t.numel * (t.dtype == "float32" and 4 or 8)
    end
  end
  for name, p in net:parameters() do add(name, p, true) end
  for name, b in net:buffers() do add(name, b, false) end
  return by, total
end

local chains = { sequential = true, residual = true }

local function output_of(m, shape)
  local ok, out = pcall(m.output_shape, m, shape)
  return ok and out or nil
end

local function frozen_text(own)
  if own.frozen == 0 then return "" end
  return own.frozen == own.numel and "frozen" or "part frozen"
end

local nothing = { numel = 0, bytes = 0, frozen = 0 }

local function row_of(m, title, own, output)
  return {
    title .. m:signature():gsub("%(%)$", ""), sizes_text(output),
    own.numel > 0 and grouped(own.numel) or "", own.bytes > 0 and grouped(own.bytes) or "",
    frozen_text(own),
  }
end

-- One row for m and, below it, one for each layer inside. prefix: "2." for the names in "2".
local function add_rows(rows, m, title, prefix, input)
  local own = rows.by[prefix] or nothing
  rows[#rows + 1] = row_of(m, title, own, output_of(m, input))
  local shape, indent = input, title:match "^ *" .. (prefix == "" and "" or "  ")
  for name, child in m:children() do
    add_rows(rows, child, indent .. name .. "  ", prefix .. name .. ".", shape)
    if chains[m.kind] then shape = output_of(child, shape) end
  end
end

local function aligned(rows)
  local width, lines = { 0, 0, 0, 0, 0 }, {}
  for _, row in ipairs(rows) do
    for k, cell in ipairs(row) do width[k] = math.max(width[k], #cell) end
  end
  local shape = ("%%-%ds  %%-%ds  %%%ds  %%%ds  %%s")
    :format(width[1], width[2], width[3], width[4])
  for i, row in ipairs(rows) do
    lines[i] = shape:format(table.unpack(row)):gsub("%s+$", "")
  end
  return lines
end

--- The text that `print(net)` shows: a line a layer with the shape of its output (n samples;
-- `?` where a size is not known before a forward pass), its number of parameters, their bytes
-- and those of its buffers, and whether it is frozen. Sizes of images are known where those of
-- a sample are given.
-- @function model:describe
-- @tparam ?{integer,...} sample  sizes of one sample of the input
-- @treturn string
-- @usage
-- local lariat = require "lariat"
-- print(lariat.nn.sequential { lariat.nn.linear(784, 10), lariat.nn.softmax() })
-- print(lariat.nn.conv2d(1, 8, 3):describe { 1, 28, 28 })   -- (n, 8, 26, 26)
function methods:describe(sample)
  if sample ~= nil and type(sample) ~= "table" then
    error(("describe: the sizes of a sample are a list, not a %s"):format(type(sample)), 2)
  end
  local by, total = tally(self)
  local rows = { by = by, { "layer", "output", "parameters", "bytes", "" } }
  add_rows(rows, self, "", "", sample and { -1, table.unpack(sample) } or nil)
  local lines = aligned(rows)
  local frozen = total.frozen > 0 and (" (%s frozen)"):format(grouped(total.frozen)) or ""
  lines[#lines + 1] = ("%s parameter%s%s, %s bytes"):format(grouped(total.numel),
    total.numel == 1 and "" or "s", frozen, grouped(total.bytes))
  return table.concat(lines, "\n")
end

return setmetatable(nn, {
  __index = function(_, name)
    local names = {}
    for k in pairs(nn) do names[#names + 1] = k end
    error(("lariat.nn has no '%s'; did you mean '%s'?")
      :format(tostring(name), core.nearest(tostring(name), names)), 2)
  end,
})
