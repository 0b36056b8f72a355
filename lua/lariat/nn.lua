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
-- `dilation` (1), `ceil_mode` (false): windows that begin in the plane and end beyond it count
-- too
-- @shape (n, c, h, w) -> (n, c, h', w'), sizes as for conv2d, rounded up in `ceil_mode`
-- @usage lariat.nn.max_pool2d(2)(lariat.randn(8, 3, 28, 28))   -- (8, 3, 14, 14)

--- The mean of each window.
-- @function avg_pool2d
-- @tparam integer|{integer,integer} kernel  rows and columns of a window
-- @tparam ?table options  `stride` (the kernel), `padding` (0; half the kernel at most),
-- `count_include_pad` (true): zeros of the padding count in the mean, `ceil_mode` (false):
-- windows that begin in the plane and end beyond it count too, with what they hold
-- @shape (n, c, h, w) -> (n, c, h', w'), sizes as for conv2d, rounded up in `ceil_mode`
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

nn.module = require "lariat.nn.written"
require "lariat.nn.methods"
require "lariat.nn.text"

return setmetatable(nn, {
  __index = function(_, name)
    local names = {}
    for k in pairs(nn) do names[#names + 1] = k end
    error(("lariat.nn has no '%s'; did you mean '%s'?")
      :format(tostring(name), core.nearest(tostring(name), names)), 2)
  end,
})
