--- What the specs of layers try: for each a list of { expression over nn, input }.

local lariat = require "lariat"

local function ids() return lariat.tensor({ { 1, 3, 2 }, { 4, 4, 1 } }, { dtype = "int64" }) end

-- Layer: list of { expression over nn, input, [training alone or evaluation alone] }.
local cases = {
  linear = {
    { "nn.linear(3, 4)", { 5, 3 } }, { "nn.linear(3, 2, {bias = false})", { 2, 4, 3 } },
    { "nn.linear(3, 2)", { 3 } },
  },
  embedding = { { "nn.embedding(4, 3)", ids } },
  flatten = { { "nn.flatten()", { 2, 3, 2 } } },
  batch_norm = {
    { "nn.batch_norm(3)", { 6, 3 } }, { "nn.batch_norm(3, {affine = false})", { 3, 3, 2 } },
    { "nn.batch_norm(2)", { 2, 2, 2, 2 } },
  },
  layer_norm = {
    { "nn.layer_norm(4)", { 3, 4 } }, { "nn.layer_norm({2, 3})", { 3, 2, 3 } },
    { "nn.layer_norm(4, {affine = false})", { 2, 2, 4 } },
  },
  group_norm = {
    { "nn.group_norm(2, 4)", { 2, 4, 3 } },
    { "nn.group_norm(2, 4, {affine = false})", { 3, 4 } },
  },
  relu = { { "nn.relu()", { 3, 4 } } },
  leaky_relu = { { "nn.leaky_relu(0.2)", { 3, 4 } } },
  elu = { { "nn.elu(0.5)", { 3, 4 } } },
  selu = { { "nn.selu()", { 3, 4 } } },
  gelu = { { "nn.gelu()", { 3, 4 } }, { 'nn.gelu("tanh")', { 3, 4 } } },
  silu = { { "nn.silu()", { 3, 4 } } },
  tanh = { { "nn.tanh()", { 3, 4 } } },
  sigmoid = { { "nn.sigmoid()", { 3, 4 } } },
  log_sigmoid = { { "nn.log_sigmoid()", { 3, 4 } } },
  softplus = { { "nn.softplus(2)", { 3, 4 } } },
  softmax = { { "nn.softmax()", { 3, 4 } }, { "nn.softmax(1)", { 3, 4 } } },
  log_softmax = { { "nn.log_softmax()", { 3, 4 } } },
  identity = { { "nn.identity()", { 3, 4 } } },
  dropout = { { "nn.dropout(0.3)", { 6, 4 } } },
  spatial_dropout = { { "nn.spatial_dropout(0.3)", { 6, 4, 3 } } },
  alpha_dropout = { { "nn.alpha_dropout(0.3)", { 6, 4 } } },
  gaussian_noise = { { "nn.gaussian_noise(0.5)", { 6, 4 } } },
  gaussian_dropout = { { "nn.gaussian_dropout(0.3)", { 6, 4 } } },
  stochastic_depth = { { "nn.stochastic_depth(0.3)", { 12, 4 } } },
  drop_connect = { { "nn.drop_connect(3, 4, {p = 0.3})", { 5, 3 } } },
  sequential = {
    { "nn.sequential(nn.linear(3, 4), nn.tanh(), nn.linear(4, 2))", { 5, 3 } },
    { "nn.sequential()", { 5, 3 } },
  },
  residual = { { "nn.residual(nn.linear(3, 3), nn.tanh())", { 5, 3 } } },
  parallel = {
    { "nn.parallel({nn.linear(3, 2), nn.linear(3, 4)})", { 5, 3 } },
    { 'nn.parallel({nn.linear(3, 2), nn.linear(3, 2), merge = "sum"})', { 5, 3 } },
    { "nn.parallel({nn.linear(3, 2), nn.tanh(), dim = 2})", { 5, 3 } },
  },
  conv1d = {
    { "nn.conv1d(2, 3, 3)", { 2, 2, 6 } },
    { 'nn.conv1d(2, 4, 2, {padding = "same", groups = 2, bias = false})', { 3, 2, 5 } },
    { "nn.conv1d(2, 2, 3, {stride = 2, padding = 1, dilation = 2})", { 3, 2, 8 } },
  },
  conv2d = {
    { "nn.conv2d(2, 3, 2)", { 2, 2, 4, 3 } },
    { "nn.conv2d(2, 4, {3, 2}, {stride = {2, 1}, padding = 1, groups = 2})", { 2, 2, 4, 3 } },
    { 'nn.conv2d(2, 2, 2, {padding = "same", dilation = {1, 2}, bias = false})',
      { 3, 2, 3, 4 } },
  },
  conv_transpose2d = {
    { "nn.conv_transpose2d(2, 3, 2)", { 2, 2, 2, 3 } },
    { "nn.conv_transpose2d(2, 4, {2, 3}, {stride = 2, padding = {0, 1}, "
      .. "output_padding = {1, 0}, groups = 2})", { 3, 2, 3, 2 } },
  },
  max_pool2d = {
    { "nn.max_pool2d(2)", { 2, 2, 4, 5 } },
    { "nn.max_pool2d({3, 2}, {stride = {2, 1}, padding = 1})", { 3, 2, 4, 3 } },
    { "nn.max_pool2d(2, {ceil_mode = true})", { 2, 2, 3, 5 } },
  },
  avg_pool2d = {
    { "nn.avg_pool2d(2)", { 2, 2, 4, 5 } },
    { "nn.avg_pool2d(3, {stride = 2, ceil_mode = true})", { 2, 2, 4, 6 } },
    { "nn.avg_pool2d(3, {stride = 1, padding = 1, count_include_pad = false})",
      { 3, 2, 3, 4 } },
  },
  adaptive_avg_pool2d = { { "nn.adaptive_avg_pool2d({2, 3})", { 2, 2, 5, 4 } } },
  adaptive_max_pool2d = { { "nn.adaptive_max_pool2d(2)", { 2, 2, 5, 4 } } },
  global_avg_pool = {
    { "nn.global_avg_pool()", { 2, 3, 2, 3 } }, { "nn.global_avg_pool()", { 2, 3, 4 } },
  },
  weight_norm = { { "nn.weight_norm(nn.linear(3, 4))", { 5, 3 } } },
  spectral_norm = { { "nn.spectral_norm(nn.linear(3, 4))", { 5, 3 }, fixed = "eval" } },
}

return cases
