--- What spec/op/contract_spec.lua tries on every op: inputs where it is defined and smooth,
-- and a call that it must refuse. An op without a case here fails the contract.
--
-- A case is { fn, inputs, options }: fn(a, b, ...) applies the op to tensors; inputs are lists
-- of float64 values. Fields: `values` (there is no derivative), `order` (the highest order
-- that is checked), `exact` (float32 gives the same), `tol` (float32 against float64),
-- `pick` (which results are compared), `rows` (no: the op is not defined on tensors all of
-- whose rows are equal).
local lariat = require "lariat"

local function int(t) return lariat.tensor(t, { dtype = "int64" }) end
local function bool(t) return lariat.tensor(t):ne(0) end

local real = { { 0.7, -1.3, 2.1 }, { -0.4, 0.9, -2.6 } }
local other = { { -0.8, 1.7, 0.3 }, { 2.2, -0.6, 1.1 } }
local row = { 1.2, -0.7, 0.45 }
local positive = { { 0.6, 1.4, 2.3 }, { 0.25, 3.1, 1.9 } }
local unit = { { 0.3, -0.8, 0.55 }, { -0.15, 0.9, -0.45 } }
local zeros = { { 0.5, 0, -2 }, { 0, 0, 3 }, { 1, -1, 4 } }
local square = { { 2.1, 0.4, -0.3 }, { 0.2, 1.7, 0.5 }, { -0.6, 0.1, 2.4 } }
local tall = { { 1.1, -0.4 }, { 0.3, 0.8 }, { -0.7, 1.9 } }
local wide = { { 1.1, 0.3, -0.7 }, { -0.4, 0.8, 1.9 } }
local block = { { { 0.5, -1.2 }, { 1.4, 0.3 }, { -0.9, 2 } },
  { { 1.1, 0.7 }, { -0.2, -1.6 }, { 0.8, 1.3 } } }
local batch = { square, { { 1.5, 0.2, 0.1 }, { -0.3, 2.2, 0.4 }, { 0.6, -0.1, 1.8 } } }

local cases = {}

local function case(name, fn, inputs, options)
  local c = { fn = fn, inputs = inputs }
  for k, v in pairs(options or {}) do c[k] = v end
  cases[name] = cases[name] or {}
  table.insert(cases[name], c)
end

local refused = {}
local function refuse(name, pattern, fn) refused[name] = { fn = fn, pattern = pattern } end

-- ---- elementwise ----

local function unary()
  for name, x in pairs {
    abs = real, affine = real, atan = real, cos = real, cosh = real, elu = real, erf = real,
    erfinv = unit, exp = real, expm1 = real, gelu = real, leaky_relu = real, lgamma = positive,
    log = positive, log1p = positive, log_sigmoid = real, neg = real, polygamma = positive,
    reciprocal = positive, relu = real, rsqrt = positive, sigmoid = real, silu = real,
    sin = real, sinh = real, softplus = real, sqrt = positive, square = real, tan = unit,
    tanh = real, clamp = real, selu = real, digamma = positive,
  } do
    case(name, function(a) return a[name](a) end, { x })
  end
  for _, name in ipairs { "ceil", "floor", "round", "sign", "trunc" } do
    case(name, function(a) return a[name](a) end, { real }, { exact = true })
  end
  for _, name in ipairs { "isfinite", "isinf", "isnan", "logical_not" } do
    case(name, function(a) return a[name](a) end, { zeros }, { values = true, exact = true })
  end
  case("affine", function(a) return a:affine(2, -1) end, { real })
  case("addcmul", function(a, b, c) return a:addcmul(b, c) end, { real, other, positive })
  case("addcmul", function(a, b, c) return a:addcmul(b, c, -1.5) end, { real, row, other })
  case("clamp", function(a) return a:clamp(-0.5, 1) end, { real })
  case("elu", function(a) return a:elu(0.7) end, { real })
  case("gelu", function(a) return a:gelu("tanh") end, { real })
  case("leaky_relu", function(a) return a:leaky_relu { slope = 0.2 } end, { real })
  case("polygamma", function(a) return a:polygamma(2) end, { positive })
  case("softplus", function(a) return a:softplus(3) end, { real })
  case("lgamma", function(a)
    return (a - 4):lgamma()
  end, { { 0.3, 1.6, 2.45 } }, { tol = 1e-4 })
  case("digamma", function(a)
    return (a - 4):digamma()
  end, { { 0.3, 1.6, 2.45 } }, { tol = 1e-4 })
end
unary()

local function binary()
  for _, name in ipairs { "add", "sub", "mul", "atan2", "maximum", "minimum" } do
    case(name, function(a, b) return a[name](a, b) end, { real, other })
    case(name, function(a, b) return a[name](a, b) end, { real, row })
  end
  for name, x in pairs { div = real, pow = positive } do
    case(name, function(a, b) return a[name](a, b) end, { x, positive })
    case(name, function(a, b) return a[name](a, b) end, { x, row })
  end
  for _, name in ipairs { "floor_div", "mod" } do
    case(name, function(a, b) return a[name](a, b) end, { real, positive }, { tol = 1e-5 })
  end
  for _, name in ipairs { "eq", "ne", "lt", "le", "gt", "ge", "logical_and", "logical_or",
    "logical_xor" } do
    case(name, function(a, b) return a[name](a, b) end, { zeros, row },
      { values = true, exact = true })
  end
  case("where", function(a, b) return lariat.where(a:gt(b), a * 2, b) end, { real, other })
  case("masked_fill", function(a)
    return a:masked_fill(bool { { 1, 0, 1 }, { 0, 1, 0 } }, 7)
  end,
    { real })
  case("masked_fill", function(a, b)
    return a:masked_fill(bool { 1, 0, 1 }, b)
  end, { real, row })

  for _, name in ipairs { "add", "sub", "mul", "div", "pow", "atan2", "maximum", "minimum",
    "mod", "floor_div", "eq", "ne", "lt", "le", "gt", "ge", "logical_and", "logical_or",
    "logical_xor" } do
    refuse(name, "%(2, 3%) and %(4%) do not broadcast", function()
      return lariat[name](lariat.zeros(2, 3), lariat.zeros(4))
    end)
  end
  refuse("where", "%(2, 3%) and %(4%)", function()
    return lariat.where(true, lariat.zeros(2, 3), lariat.zeros(4))
  end)
  refuse("masked_fill", "bool, not float32", function()
    return lariat.zeros(2):masked_fill(lariat.zeros(2), 1)
  end)
  refuse("softplus", "beta", function() return lariat.zeros(2):softplus(-1) end)
  refuse("gelu", "approximate", function() return lariat.zeros(2):gelu("none at all") end)
end
binary()

-- ---- reductions ----

local function reductions()
  local function dims(name, x, options)
    local function all(a) return (a[name](a)) end
    local function along(a) return (a[name](a, 1)) end
    local function kept(a) return (a[name](a, -1, { keepdim = true })) end
    case(name, all, { x }, options)
    case(name, along, { x }, options)
    case(name, kept, { x }, options)
    refuse(name, "dimension 3 is not in 1%.%.2", function()
      local t = lariat.zeros(2, 3)
      return t[name](t, 3)
    end)
  end
  for name, x in pairs {
    sum = real, mean = real, var = real, std = real, norm = real, logsumexp = real, max = real,
    min = real, median = real, prod = zeros,
  } do
    dims(name, x, { rows = name ~= "std" })
  end
  for _, name in ipairs { "any", "all", "count_nonzero", "argmax", "argmin" } do
    dims(name, zeros, { values = true, exact = true })
  end
  for _, p in ipairs { 1, 3, 0.5, math.huge } do
    case("norm", function(a) return a:norm(2, { p = p }) end, { real })
  end
  case("norm", function(a) return a:norm { p = 0 } end, { zeros }, { values = true })
  case("sum", function(a) return a:sum { 1, 3 } end, { block })
  case("prod", function(a) return a:prod { 3, 1 } end, { block })
  case("var", function(a) return a:var(2, { unbiased = false }) end, { real })
  case("quantile", function(a) return a:quantile(0.3) end, { real })
  case("quantile", function(a) return a:quantile({ 0.25, 0.5 }, 2) end, { real })
  case("quantile", function(a) return a:quantile(0.6, 1, { keepdim = true }) end, { tall })
  refuse("quantile", "q = 1.5 is not in 0..1", function()
    return lariat.ones(3):quantile(1.5)
  end)
end
reductions()

local function ordered()
  for _, name in ipairs { "cumsum", "cumprod" } do
    case(name, function(a) return a[name](a, 1) end, { zeros })
    case(name, function(a) return a[name](a) end, { block })
    case(name, function(a) return a[name](a, 2, { reverse = true }) end, { zeros })
    refuse(name, "dimension 3", function()
      local t = lariat.zeros(2, 3)
      return t[name](t, 3)
    end)
  end
  case("sort", function(a) return (a:sort()) end, { real })
  case("sort", function(a) return (a:sort(1, { descending = true })) end, { block })
  case("argsort", function(a)
    return a:argsort(1)
  end, { real }, { values = true, exact = true })
  case("topk", function(a) return (a:topk(2)) end, { real })
  case("topk", function(a) return (a:topk(2, 2, { largest = false })) end, { block })
  refuse("sort", "dimension 4", function() return lariat.zeros(2, 3):sort(4) end)
  refuse("argsort", "dimension 4", function() return lariat.zeros(2, 3):argsort(4) end)
  refuse("topk", "5 of 3 elements", function() return lariat.zeros(2, 3):topk(5) end)
  for _, name in ipairs { "softmax", "log_softmax" } do
    case(name, function(a) return a[name](a) end, { real })
    case(name, function(a) return a[name](a, 2) end, { block })
    refuse(name, "dimension 3", function()
      local t = lariat.zeros(2, 3)
      return t[name](t, 3)
    end)
  end
end
ordered()

-- ---- shapes and indices ----

local function shapes()
  local shape = { exact = true }
  case("clone", function(a) return a:clone() end, { real }, shape)
  case("contiguous", function(a) return a:t():contiguous() end, { real }, shape)
  case("reshape", function(a) return a:t():reshape(3, 2) * a:reshape(3, -1) end, { real })
  case("view", function(a) return a:contiguous():view(-1) end, { real }, shape)
  case("transpose", function(a) return a:transpose(1, -1) end, { block }, shape)
  case("permute", function(a) return a:permute(3, 1, 2) end, { block }, shape)
  case("movedim", function(a) return a:movedim(1, 3) end, { block }, shape)
  case("t", function(a) return a:t() end, { real }, shape)
  case("flatten", function(a) return a:flatten() end, { block }, shape)
  case("flatten", function(a) return a:flatten(2, 3) end, { block }, shape)
  case("squeeze", function(a) return a:unsqueeze(2):squeeze() end, { real }, shape)
  case("unsqueeze", function(a) return a:unsqueeze(-1) end, { real }, shape)
  case("expand", function(a) return a:expand(4, 2, 3) * a end, { real })
  case("tile", function(a) return a:tile(2, 1, 3) end, { real }, shape)
  case("narrow", function(a) return a:narrow(2, 2, 2) end, { real }, shape)
  case("select", function(a) return a:select(2, -1) end, { real }, shape)
  case("flip", function(a) return a:flip(2) end, { real }, shape)
  case("roll", function(a) return a:roll(1, 2) end, { real }, shape)
  case("roll", function(a) return a:roll(-2) end, { real }, shape)
  case("cat", function(a, b) return lariat.cat({ a, b, a }, 2) end, { tall, tall })
  case("cat", function(a, b) return lariat.cat { a, b } end, { real, square })
  case("stack", function(a, b) return lariat.stack({ a, b }, 2) end, { real, other })
  case("diag", function(a) return a:diag() end, { row }, shape)
  case("diag", function(a) return a:diag(-1) end, { row }, shape)
  case("diag", function(a) return a:diag(1) end, { square }, shape)
  case("diagonal", function(a) return a:diagonal() end, { block }, shape)
  case("trace", function(a) return a:trace() end, { square })
  case("tril", function(a) return a:tril() end, { block }, shape)
  case("triu", function(a) return a:triu(-1) end, { square }, shape)
  case("index_select", function(a)
    return a:index_select(2, int { 3, 1, -1 })
  end, { real }, shape)
  case("gather", function(a)
    return a:gather(2, int { { 1, 1 }, { 3, -2 } })
  end, { real }, shape)
  case("scatter", function(a, b)
    return a:scatter(2, int { { 2, 3 }, { 1, 2 } }, b)
  end, { real, other }, shape)
  case("scatter", function(a) return a:scatter(1, int { { 2, 1, 2 } }, 5) end, { real }, shape)
  case("scatter_add", function(a, b)
    return a:scatter_add(2, int { { 2, 2 }, { 1, -1 } }, b)
  end, { real, other })
  case("masked_select", function(a)
    return a:masked_select(bool { { 1, 0, 1 }, { 0, 1, 0 } })
  end, { real }, shape)
  case("one_hot", function(a) return a:sign():abs():long():one_hot(3) end, { real },
    { values = true, exact = true })

  refuse("reshape", "%(2, 3%) has 6 elements", function()
    return lariat.zeros(2, 3):reshape(4)
  end)
  refuse("view", "not contiguous", function() return lariat.zeros(2, 3):t():view(6) end)
  refuse("transpose", "dimension 3", function() return lariat.zeros(2, 3):transpose(1, 3) end)
  refuse("permute", "named twice", function() return lariat.zeros(2, 3):permute(1, 1) end)
  refuse("movedim", "dimension 0", function() return lariat.zeros(2, 3):movedim(0, 1) end)
  refuse("t", "%(1, 2, 3%) is not a matrix", function() return lariat.zeros(1, 2, 3):t() end)
  refuse("flatten", "does not come before", function()
    return lariat.zeros(2, 3):flatten(2, 1)
  end)
  refuse("squeeze", "dimension 5", function() return lariat.zeros(2, 3):squeeze(5) end)
  refuse("unsqueeze", "dimension 5", function() return lariat.zeros(2, 3):unsqueeze(5) end)
  refuse("expand", "cannot be expanded", function() return lariat.zeros(2, 3):expand(2, 4) end)
  refuse("tile", "negative", function() return lariat.zeros(2, 3):tile(-1) end)
  refuse("narrow", "do not fit", function() return lariat.zeros(2, 3):narrow(2, 2, 3) end)
  refuse("select", "index 4 is not in 1%.%.3", function()
    return lariat.zeros(2, 3):select(2, 4)
  end)
  refuse("flip", "dimension 3", function() return lariat.zeros(2, 3):flip(3) end)
  refuse("roll", "dimension 3", function() return lariat.zeros(2, 3):roll(1, 3) end)
  refuse("cat", "%(2, 3%) and %(3, 2%)", function()
    return lariat.cat { lariat.zeros(2, 3), lariat.zeros(3, 2) }
  end)
  refuse("stack", "%(2, 3%) and %(3, 2%)", function()
    return lariat.stack { lariat.zeros(2, 3), lariat.zeros(3, 2) }
  end)
  refuse("diag", "%(%) is not a matrix", function() return lariat.tensor(1):diag() end)
  refuse("diagonal", "%(3%) is not a matrix", function() return lariat.zeros(3):diagonal() end)
  refuse("trace", "%(3%) is not a matrix", function() return lariat.zeros(3):trace() end)
  refuse("tril", "%(3%) is not a matrix", function() return lariat.zeros(3):tril() end)
  refuse("triu", "%(3%) is not a matrix", function() return lariat.zeros(3):triu() end)
  refuse("index_select", "index 4 is not in 1%.%.3", function()
    return lariat.zeros(2, 3):index_select(2, int { 4 })
  end)
  refuse("gather", "indices of shape %(3, 1%) do not fit %(2, 3%)", function()
    return lariat.zeros(2, 3):gather(2, int { { 1 }, { 1 }, { 1 } })
  end)
  refuse("scatter", "index 9 is not in 1%.%.3", function()
    return lariat.zeros(2, 3):scatter(2, int { { 9 } }, 1)
  end)
  refuse("scatter_add", "source of shape %(1%)", function()
    return lariat.zeros(2, 3):scatter_add(2, int { { 1 } }, lariat.ones(1))
  end)
  refuse("masked_select", "bool, not int64", function()
    return lariat.zeros(2):masked_select(int { 1, 2 })
  end)
  refuse("one_hot", "label 4, number 2, is not in 1%.%.3", function()
    return int({ 1, 4 }):one_hot(3)
  end)
end
shapes()

-- ---- products ----

local function products()
  case("matmul", function(a, b) return a:matmul(b) end, { real, tall })
  case("matmul", function(a, b) return a:matmul(b) end, { row, tall })
  case("matmul", function(a, b) return a:matmul(b) end, { real, row })
  case("matmul", function(a, b) return a:matmul(b) end, { block, wide })
  case("dot", function(a, b) return a:dot(b) end, { row, { 0.3, -1.1, 2.2 } })
  case("outer", function(a, b) return a:outer(b) end, { row, { 0.3, -1.1 } })
  case("mv", function(a, b) return a:mv(b) end, { real, row })
  case("bmm", function(a, b) return a:bmm(b) end, { batch, block })
  refuse("matmul", "%(2, 3%) x %(2, 3%): 3 is not 2", function()
    return lariat.zeros(2, 3):matmul(lariat.zeros(2, 3))
  end)
  refuse("dot", "%(2%) and %(3%)", function() return lariat.zeros(2):dot(lariat.zeros(3)) end)
  refuse("outer", "two vectors", function()
    return lariat.zeros(2, 1):outer(lariat.zeros(3))
  end)
  refuse("mv", "a matrix and a vector", function()
    return lariat.zeros(2):mv(lariat.zeros(3))
  end)
  refuse("bmm", "two batches", function()
    return lariat.zeros(2, 3, 4):bmm(lariat.zeros(3, 4, 2))
  end)
end
products()

-- ---- linear algebra: vectors of a decomposition through what does not depend on signs ----

local matrix = { rows = false, tol = 1e-4 }
local function spd(a)
  return a:matmul(a:transpose(-1, -2)) + lariat.eye(3, { dtype = a.dtype })
end

local function factorisations()
  for _, x in ipairs { square, tall, wide, batch } do
    case("svd", function(a)
      local u, s, v = a:svd()
      return (u * (s:log1p()):unsqueeze(-2)):matmul(v:transpose(-1, -2))
    end, { x }, matrix)
    case("qr", function(a)
      local q, r = a:qr()
      return q:sin():matmul(r:cos())
    end, { x }, matrix)
    case("pinv", function(a) return a:pinv() end, { x }, matrix)
    case("singular_values", function(a) return a:singular_values() end, { x }, matrix)
    case("cond", function(a) return a:cond() end, { x }, matrix)
  end
  for _, x in ipairs { square, batch } do
    case("eigh", function(a)
      local w, v = a:eigh()
      return (v * (w:cos()):unsqueeze(-2)):matmul(v:transpose(-1, -2)) + w:unsqueeze(-1)
    end, { x }, matrix)
    case("cholesky", function(a)
      return spd(a):cholesky()
    end, { x }, { rows = false, tol = 1e-4 })
    case("inv", function(a) return a:inv() end, { x }, matrix)
    case("det", function(a) return a:det() end, { x }, matrix)
    case("slogdet", function(a) return select(2, a:slogdet()) end, { x }, matrix)
  end
  case("slogdet", function(a)
    return (a:slogdet())
  end, { square }, { values = true, rows = false })
  case("matrix_rank", function(a) return a:matrix_rank() end, { batch },
    { values = true, exact = true })
end
factorisations()

local function equations()
  for name, f in pairs {
    solve = function(a, b) return a:solve(b) end,
    solve_triangular = function(a, b) return a:solve_triangular(b) end,
  } do
    case(name, f, { square, row }, matrix)
    case(name, f, { batch, square }, matrix)
    refuse(name, "%(2, 3%) is not a square matrix", function()
      return f(lariat.zeros(2, 3), lariat.zeros(2))
    end)
  end
  case("solve_triangular", function(a, b) return a:solve_triangular(b, { upper = true }) end,
    { square, square }, matrix)
  case("lstsq", function(a, b) return a:lstsq(b) end, { tall, row }, matrix)
  case("lstsq", function(a, b) return a:lstsq(b) end, { wide, wide }, matrix)
  refuse("lstsq", "%(2, 3%) and a right side of shape %(3%)", function()
    return lariat.zeros(2, 3):lstsq(lariat.zeros(3))
  end)
  for _, name in ipairs { "svd", "qr", "pinv", "singular_values", "cond", "matrix_rank" } do
    refuse(name, "holds NaN", function()
      local t = lariat.full({ 2, 3 }, 0 / 0)
      return t[name](t)
    end)
  end
  for _, name in ipairs { "eigh", "cholesky", "inv", "det", "slogdet" } do
    refuse(name, "%(2, 3%) is not square", function()
      local t = lariat.ones(2, 3)
      return t[name](t)
    end)
  end
end
equations()

-- ---- convolution and pooling ----

-- Distinct values without a pattern, in nested lists.
local function grid(n, c, h, w)
  local t = lariat.arange(n * c * h * w):double()
  return ((t * 12.9898):sin() * 3):view(n, c, h, w):totable()
end

local function convolutions()
  local images, kernels = grid(2, 2, 4, 5), grid(3, 2, 2, 3)
  local bias = { 0.3, -0.2, 0.9 }
  local loose = { tol = 2e-5 }
  case("conv2d", function(x, w, b) return x:conv2d(w, b) end, { images, kernels, bias }, loose)
  case("conv2d", function(x, w)
    return x:conv2d(w, { stride = { 2, 1 }, padding = { 1, 2 }, dilation = { 1, 2 } })
  end, { images, kernels }, loose)
  case("conv2d", function(x, w)
    return x:conv2d(w, nil, { padding = "same", groups = 2 })
  end, { images, grid(4, 1, 2, 3) }, loose)
  case("conv1d", function(x, w, b)
    return x:conv1d(w, b, { stride = 2, padding = 1, dilation = 2 })
  end, { grid(1, 2, 2, 7)[1], grid(1, 3, 2, 2)[1], bias }, loose)
  case("conv_transpose2d", function(x, w, b)
    return x:conv_transpose2d(w, b,
      { stride = { 3, 2 }, padding = 1, output_padding = { 2, 0 }, groups = 2 })
  end, { images, grid(2, 2, 3, 2), { 0.3, -0.2, 0.9, 0.1 } }, loose)
  refuse("conv2d", "6 channels; weight %(4, 2, 3, 3%) with groups = 2 takes 4", function()
    return lariat.conv2d(lariat.ones(1, 6, 5, 5), lariat.ones(4, 2, 3, 3), { groups = 2 })
  end)
  refuse("conv1d", "spans %(1, 5%) is larger than the padded input %(1, 4%)", function()
    return lariat.conv1d(lariat.ones(1, 1, 4), lariat.ones(1, 1, 5))
  end)
  refuse("conv_transpose2d", "output_padding = 2", function()
    return lariat.conv_transpose2d(lariat.ones(1, 1, 4, 4), lariat.ones(1, 1, 2, 2),
      { stride = 2, output_padding = 2 })
  end)
end
convolutions()

local function pools()
  local images = grid(2, 2, 5, 4)
  case("max_pool2d", function(x) return x:max_pool2d(2) end, { images }, { exact = true })
  case("max_pool2d", function(x)
    return x:max_pool2d({ 3, 2 }, { stride = { 2, 1 }, padding = 1, dilation = { 1, 2 } })
  end, { images }, { exact = true })
  case("avg_pool2d", function(x) return x:avg_pool2d { 2, 3 } end, { images })
  case("avg_pool2d", function(x)
    return x:avg_pool2d(3, { stride = 2, padding = 1, count_include_pad = false })
  end, { images })
  case("max_pool2d", function(x) return x:max_pool2d(2, { ceil_mode = true }) end, { images },
    { exact = true })
  case("avg_pool2d", function(x)
    return x:avg_pool2d(4, { stride = 3, padding = 1, ceil_mode = true })
  end, { images })
  case("adaptive_avg_pool2d", function(x) return x:adaptive_avg_pool2d { 3, 2 } end, { images })
  case("adaptive_max_pool2d", function(x) return x:adaptive_max_pool2d(3) end, { images },
    { exact = true })
  case("global_avg_pool", function(x) return x:global_avg_pool() end, { images })
  refuse("max_pool2d", "padding = 2 is more than half of a kernel of 3", function()
    return lariat.zeros(1, 1, 4, 4):max_pool2d(3, { padding = 2 })
  end)
  refuse("avg_pool2d", "spans %(5, 5%) is larger than the padded input %(4, 4%)", function()
    return lariat.zeros(1, 1, 4, 4):avg_pool2d(5)
  end)
  for _, name in ipairs { "adaptive_avg_pool2d", "adaptive_max_pool2d" } do
    refuse(name, "the size is at least 1, not 0", function()
      local x = lariat.zeros(1, 1, 4, 4)
      return x[name](x, 0)
    end)
  end
  refuse("global_avg_pool", "input %(4, 4%)", function()
    return lariat.zeros(4, 4):global_avg_pool()
  end)
end
pools()

-- ---- hidden ops: the derivative that applies them ----

local function slope(fn, ...)
  local xs, n = {}, select("#", ...)
  for k = 1, n do
    xs[k] = lariat.tensor(select(k, ...), { dtype = "float64", requires_grad = true })
  end
  return function()
    local g = lariat.grad(fn(table.unpack(xs)):sum(), xs, { create_graph = true })
    local s = 0
    for k = 1, n do s = s + (g[k] * g[k]):sum() end
    if s.requires_grad then lariat.grad(s, xs) end
  end
end

local hidden = {
  cast = slope(function(a) return a:float() end, real),
  slice = slope(function(a) return a[1] end, real),
  unslice = slope(function(a) return a[1] end, real),
  gelu_slope = slope(function(a) return a:gelu() + a:gelu("tanh") end, real),
  relu_slope = slope(function(a) return a:relu() end, real),
  sigmoid_slope = slope(function(a) return a:sigmoid() end, real),
  tanh_slope = slope(function(a) return a:tanh() end, real),
  standardise = slope(function(a)
    return lariat.nn.layer_norm(3, { affine = false }):to "float64"(a)
  end, real),
  normalise = slope(function(a) return lariat.nn.layer_norm(3):to "float64"(a) end, real),
  normalise_slope = function()
    lariat.nn.layer_norm(3)(lariat.tensor(real, { requires_grad = true })):sum():backward()
  end,
  index_sum = slope(function(a) return a[int { 1, 1 }] end, real),
  masked_spread = slope(function(a) return a[a:gt(0)] end, real),
  undiagonal = slope(function(a) return a:diagonal() end, square),
  ungather = slope(function(a) return (a:max(1)) end, real),
  recur = slope(function(a) return a:cumprod(1) end, zeros),
  matmul = slope(function(a, b) return a:matmul(b) end, real, tall),
  solve = slope(function(a, b) return a:solve(b) end, square, row),
  solve_triangular = slope(function(a) return spd(a):cholesky() end, square),
  cross_entropy = slope(function(a)
    return lariat.loss.cross_entropy(a, int { 1, 3 })
  end, real),
  linear = slope(lariat.nn.linear(3, 2):to "float64", real),
  squared_error = slope(function(a, b) return lariat.loss.mse(a, b) end, real, real),
}

hidden.cross_entropy_slope = hidden.cross_entropy
hidden.conv = slope(function(x, w) return x:conv2d(w) end, grid(1, 2, 3, 4), grid(2, 2, 2, 2))
hidden.conv_input, hidden.conv_weight = hidden.conv, hidden.conv
hidden.max_pool = slope(function(x) return x:max_pool2d(2):square() end, grid(1, 1, 4, 4))
hidden.max_spread, hidden.max_pick = hidden.max_pool, hidden.max_pool
hidden.mean_pool = slope(function(x) return x:avg_pool2d(2):square() end, grid(1, 1, 4, 4))
hidden.mean_spread = hidden.mean_pool
hidden.standardise_slope = hidden.standardise

return { of = cases, refused = refused, hidden = hidden }
