-- Convolution and pooling: PyTorch's figures, loops written out, adjoints, threads, scratch.
local lariat = require "lariat"
local near = require "spec.support.near"
local shell = require "spec.support.shell"

local function f64(x) return lariat.tensor(x, { dtype = "float64" }) end

describe("convolution and pooling as PyTorch has them:", function()
  for _, case in ipairs(dofile "spec/fixtures/torch_conv.lua") do
    local fn = assert(load("local lariat, x, w, b = ...; return " .. case.lua))

    local function inputs()
      local xs = {}
      for k, x in ipairs(case.inputs) do
        xs[k] = lariat.tensor(x, { dtype = "float64", requires_grad = true })
      end
      return xs
    end

    local function check(got, want, what)
      near.check(got, want, { rel = 1e-10, abs = 1e-10, what = what })
    end

    it(case.lua, function()
      local xs = inputs()
      local y = fn(lariat, table.unpack(xs))
      check(y, case.y, "value")
      local f = (f64(case.c) * y * (1 + y / 2)):sum()
      local g = lariat.grad(f, xs, { create_graph = true })
      local s = 0
      for k, want in ipairs(case.grad) do
        check(g[k], want, "gradient " .. k)
        s = s + (g[k] * f64(case.v[k])):sum()
      end
      for k, h in ipairs(lariat.grad(s, xs)) do check(h, case.hvp[k], "second " .. k) end
    end)
  end
end)

-- ---- loops written out ----

-- A convolution element by element, o: stride, padding, dilation as pairs, and groups.
local function plain(x, w, o)
  local size, taps, out = x.shape, w.shape, {}
  local per, X, W = w.shape[1] // o.groups, x:totable(), w:totable()
  for d = 1, 2 do
    out[d] = (size[d + 2] + 2 * o.padding[d] - (taps[d + 2] - 1) * o.dilation[d] - 1)
      // o.stride[d] + 1
  end
  local function element(n, k, i, j)
    local sum, first = 0, (k - 1) // per * taps[2]
    for c = 1, taps[2] do
      for a = 1, taps[3] do
        local row = X[n][first + c][(i - 1) * o.stride[1] + (a - 1) * o.dilation[1]
          - o.padding[1] + 1]
        for b = 1, row and taps[4] or 0 do
          local v = row[(j - 1) * o.stride[2] + (b - 1) * o.dilation[2] - o.padding[2] + 1]
          sum = sum + (v or 0) * W[k][c][a][b]
        end
      end
    end
    return sum
  end
  local y = {}
  for n = 1, size[1] do
    y[n] = {}
    for k = 1, taps[1] do
      y[n][k] = {}
      for i = 1, out[1] do
        y[n][k][i] = {}
        for j = 1, out[2] do y[n][k][i][j] = element(n, k, i, j) end
      end
    end
  end
  return f64(y)
end

-- A problem of random sizes that has at least one output.
local function draw()
  local r = function(lo, hi) return lariat.randint(lo, hi, { 1 }):item() end
  local groups = r(1, 3)
  local o = {
    groups = groups, stride = { r(1, 4), r(1, 3) }, padding = { r(0, 4), r(0, 3) },
    dilation = { r(1, 3), r(1, 3) },
  }
  local kh, kw = r(1, 4), r(1, 4)
  local h, w = (kh - 1) * o.dilation[1] + r(1, 9), (kw - 1) * o.dilation[2] + r(1, 40)
  local c, k = groups * r(1, 4), groups * r(1, 11)
  local options = { dtype = "float64", requires_grad = true }
  return lariat.randn(r(1, 3), c, h, w, options), lariat.randn(k, c // groups, kh, kw, options),
    o
end

describe("convolution", function()
  it("is the loops written out, and so are its derivatives", function()
    lariat.seed(5)
    for _ = 1, 60 do
      local x, w, o = draw()
      local y = lariat.conv2d(x, w, o)
      near.check(y, plain(x, w, o), { rel = 1e-11, abs = 1e-11 })
      local g = lariat.randn(y.shape, { dtype = "float64" })
      local grad = lariat.grad((y * g):sum(), { x, w })
      local u = lariat.randn(x.shape, { dtype = "float64" }) -- directions
      local v = lariat.randn(w.shape, { dtype = "float64" })
      near.check((grad[1] * u):sum(), (plain(u, w, o) * g):sum():item(), { rel = 1e-9,
        abs = 1e-9 })
      near.check((grad[2] * v):sum(), (plain(x, v, o) * g):sum():item(), { rel = 1e-9,
        abs = 1e-9 })
    end
  end)

  -- Kernels of 3 by 3 between many channels take another way, by fewer products: compared with
  -- the same kernels with a column of zeros, which do not.
  it("by squares is convolution, and so are its derivatives", function()
    lariat.seed(12)
    local function r(lo, hi) return lariat.randint(lo, hi, { 1 }):item() end
    for k = 1, 24 do
      local dtype = k % 2 == 0 and "float32" or "float64"
      local o = { padding = { r(0, 2), r(0, 2) }, groups = r(1, 2) }
      local cin, cout = r(16, 36), o.groups * r(16, 40)
      local options = { dtype = dtype, requires_grad = true }
      local x = lariat.randn(r(1, 3), o.groups * cin, r(4, 11), r(4, 40), options)
      local w = lariat.randn(cout, cin, 3, 3, options)
      local b = lariat.randn(cout, options)
      local function column(t)
        local shape = t.shape
        shape[4] = 1
        return lariat.cat({ t, lariat.zeros(shape, { dtype = dtype }) }, 4)
      end
      local y = lariat.conv2d(x, w, b, o)
      local z = lariat.conv2d(column(x), column(w), b, o):narrow(4, 1, y.shape[4])
      local g = lariat.randn(y.shape, { dtype = dtype })
      local fast = lariat.grad((y * g):sum(), { x, w, b })
      local slow = lariat.grad((z * g):sum(), { x, w, b })
      fast[4], slow[4] = y, z
      for i = 1, 4 do
        local gap = (fast[i] - slow[i]):abs():max() / slow[i]:abs():max()
        assert.is_true(gap:item() < (dtype == "float32" and 2e-5 or 1e-11))
      end
    end
  end)

  -- Many blocks of outputs, shares of the batch, rows of squares that end within an image;
  -- groups of one channel.
  it("of any width is what it is in float64, and so are its derivatives", function()
    lariat.seed(13)
    local shapes = {
      { 3, 20, 37, 50, 70, 1 }, { 9, 130, 7, 7, 150, 1 }, { 2, 16, 90, 5, 16, 1 },
      { 4, 6, 13, 37, 6, 6 }, { 2, 5, 40, 16, 10, 5 },
    }
    for _, s in ipairs(shapes) do
      local n, c, h, w, o, groups = table.unpack(s)
      local function slopes(dtype)
        lariat.seed(14)
        local x, k = lariat.randn(n, c, h, w), lariat.randn(o, c // groups, 3, 3)
        x, k = x:to(dtype):requires_grad_(), k:to(dtype):requires_grad_()
        local y = x:conv2d(k, nil, { padding = 1, groups = groups })
        local grad = lariat.grad((y * y):sum(), { x, k })
        return { y:double(), grad[1]:double(), grad[2]:double() }
      end
      local got, want = slopes "float32", slopes "float64"
      for i = 1, 3 do
        local gap = (got[i] - want[i]):abs():max() / want[i]:abs():max()
        assert.is_true(gap:item() < 5e-6, gap:item())
      end
    end
  end)

  it("in float32 is near float64 where many terms are added", function()
    lariat.seed(6)
    local x, w = lariat.randn(2, 40, 12, 13), lariat.randn(20, 40, 3, 3)
    near.check(lariat.conv2d(x, w, { padding = 1 }):double(),
      lariat.conv2d(x:double(), w:double(), { padding = 1 }), { rel = 1e-5, abs = 1e-4 })
  end)

  it("has a transposed convolution for its adjoint", function()
    lariat.seed(7)
    for _ = 1, 20 do
      local x, w, o = draw()
      local y = lariat.conv2d(x, w, o)
      local g = lariat.randn(y.shape, { dtype = "float64" })
      o.output_padding = {}
      for d = 1, 2 do
        local least = (y.shape[d + 2] - 1) * o.stride[d] + (w.shape[d + 2] - 1) * o.dilation[d]
          + 1 - 2 * o.padding[d]
        o.output_padding[d] = x.shape[d + 2] - least
      end
      local back = lariat.conv_transpose2d(g, w, o)
      assert.same(x.shape, back.shape)
      near.check((y * g):sum(), (x * back):sum():item(), { rel = 1e-10, abs = 1e-9 })
    end
  end)

  it("with a kernel of one place is a product of matrices", function()
    local x, w = lariat.randn(2, 5, 3, 4, { dtype = "float64" }),
      lariat.randn(6, 5, 1, 1, { dtype = "float64" })
    local want = lariat.einsum("nchw,oc->nohw", x, w:view(6, 5))
    near.check(lariat.conv2d(x, w), want, { rel = 1e-12, abs = 1e-12 })
  end)

  it("gives the same bits for any number of threads", function()
    lariat.seed(8)
    local threads = lariat.threads()
    local function bits()
      local x = lariat.randn(20, 8, 14, 18, { requires_grad = true })
      local w = lariat.randn(24, 4, 3, 3, { requires_grad = true })
      local squares = lariat.randn(20, 24, 3, 3, { requires_grad = true })
      local y = lariat.conv2d(x, w, { groups = 2, stride = { 2, 1 }, padding = 1 })
      y = y:conv2d(squares, { padding = { 1, 0 } }):max_pool2d(2):avg_pool2d { 1, 2 }
      local g = lariat.grad(y:square():sum(), { x, w, squares })
      return { y, g[1], g[2], g[3] }
    end
    lariat.threads(1)
    lariat.seed(9)
    local one = bits()
    lariat.threads(2)
    lariat.seed(9)
    local two = bits()
    lariat.threads(threads)
    for k = 1, 4 do assert.is_true(one[k]:eq(two[k]):all():item()) end
  end)

  it("makes no matrix of patches", function()
    -- a sanitizer keeps what was freed, and shadows of it
    if (os.getenv "LARIAT_BUILD" or ""):find "san" then return end
    -- in a process of its own, whose largest size is this convolution's
    local script = [[
      local lariat = require "lariat"
      local function peak()
        for line in io.lines "/proc/self/status" do
          local kb = line:match "^VmHWM:%%s+(%%d+)"
          if kb then return tonumber(kb) // 1024 end
        end
      end
      local c, k = %d, %d
      local x = lariat.randn(16, c, 64, 64, { requires_grad = true })
      local w = lariat.randn(c, c, k, k, { requires_grad = true })
      local before = peak()
      lariat.conv2d(x, w):sum():backward()
      print(peak() - before)]]
    for c, k in pairs { [16] = 5, [48] = 3 } do
      local run = shell.lariat .. " -e " .. shell.quote(script:format(c, k))
      local grown, image = tonumber((shell.run(run))), 16 * c * 64 * 64 * 4 / 2 ^ 20
      -- the result and what the derivative fills take about one `image` each
      assert.is_true(grown < 6 * image + 16 and grown < image * k * k / 2, grown .. " MB")
    end
  end)

  it("passes on NaN, and by few channels only to what reads it", function()
    local x = lariat.zeros(1, 1, 5, 5)
    x[{ 1, 1, 1, 1 }] = 0 / 0
    local y = lariat.conv2d(x, lariat.ones(1, 1, 2, 2))
    assert.equal(1, y:isnan():count_nonzero():item())
  end)

  it("of no samples has no elements", function()
    local x = lariat.zeros(0, 2, 5, 5)
    assert.same({ 0, 3, 3, 3 }, lariat.conv2d(x, lariat.ones(3, 2, 3, 3)).shape)
    assert.same({ 0, 2, 2, 2 }, x:max_pool2d(2).shape)
  end)
end)

describe("max pooling", function()
  it("takes NaN for the largest, and of equals the first", function()
    local x = f64 { { { { 1, 3 }, { 0 / 0, 9 } } } }
    assert.is_true(x:max_pool2d(2):isnan():item())
    local flat = lariat.ones(1, 1, 4, 4, { requires_grad = true })
    lariat.max_pool2d(flat, 2):sum():backward()
    assert.same({ { 1, 0, 1, 0 }, { 0, 0, 0, 0 }, { 1, 0, 1, 0 }, { 0, 0, 0, 0 } },
      flat.grad[1][1]:totable())
  end)

  it("refuses a kernel that no window holds, rounding up too", function()
    local ok, why = pcall(lariat.max_pool2d, lariat.zeros(1, 1, 4, 4), 6,
      { stride = 2, ceil_mode = true })
    assert.is_false(ok)
    assert.matches("spans %(6, 6%) is larger than the padded input %(4, 4%)", why)
  end)

  it("in pairs is what it is in any windows", function()
    lariat.seed(10)
    for _, dtype in ipairs { "float32", "float64" } do
      local x = lariat.randint(1, 5, { 2, 3, 9, 21 }):to(dtype):requires_grad_()
      local function both(options, pick)
        local y = x:max_pool2d(2, options)
        if pick then y = y[pick] end
        return y, lariat.grad((y * y):sum(), { x })[1]
      end
      local fast, slope = both()
      assert.same({ 2, 3, 4, 10 }, fast.shape)
      local slow, same = both({ stride = 1 }, { {}, {}, { 1, 7, 2 }, { 1, 19, 2 } })
      assert.is_true(fast:eq(slow):all():item())
      assert.is_true(slope:eq(same):all():item())
    end
  end)
end)
