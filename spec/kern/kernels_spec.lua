-- Kernels against what is computed one by one in Lua: sums, products, copies, orders,
-- factorisations; and the same bits for any number of threads.
local lariat = require "lariat"
local near = require "spec.support.near"

local function f64(t) return lariat.tensor(t, { dtype = "float64" }) end
local function randn(...) return lariat.randn({ ... }, { dtype = "float64" }) end
local function check(a, b, rel)
  near.check(a, b, { rel = rel or 1e-12, abs = rel or 1e-12, what = "value" })
end
local function fails(pattern, fn, ...)
  local ok, message = pcall(fn, ...)
  assert.is_false(ok)
  assert.is_truthy(tostring(message):find(pattern), message)
end

-- Sums over the dimensions in `gone` of a tensor with any strides, one element at a time.
local function slow_sum(t, gone)
  local out = {}
  local function walk(at, d, value)
    if d > t.ndim then
      local key = {}
      for k = 1, t.ndim do
        if not gone[k] then key[#key + 1] = at[k] end
      end
      key = table.concat(key, ",")
      out[key] = (out[key] or 0) + value
      return
    end
    for i = 1, t.shape[d] do
      at[d] = i
      local inner = value
      if d == t.ndim then inner = t:at(table.unpack(at, 1, d)) end
      walk(at, d + 1, inner)
    end
  end
  walk({}, 1, 0)
  return out
end

describe("a sum", function()
  it("over any dimensions of any layout is that of the elements", function()
    local base = randn(3, 4, 2, 5)
    for _, t in ipairs { base, base:permute(3, 1, 4, 2), base[{ { 3, 1, -1 }, {}, 2 }] } do
      for mask = 1, (1 << t.ndim) - 1 do
        local dims, gone = {}, {}
        for d = 1, t.ndim do
          if mask >> (d - 1) & 1 == 1 then
            dims[#dims + 1] = d
            gone[d] = true
          end
        end
        local fast, slow = t:sum(dims), slow_sum(t, gone)
        local total, count = 0, 0
        for _, v in pairs(slow) do
          total = total + v * v
          count = count + 1
        end
        assert.equal(count, fast.numel)
        check((fast * fast):sum():item(), total, 1e-11)
      end
    end
  end)

  it("of a million float32 accumulates in double", function()
    local t = lariat.full({ 1000000 }, 0.1)
    check(t:sum():item() / 100000, 1, 1e-7)
    check(t:mean():item(), 0.1, 1e-7)
    check(t:view(1000, 1000):sum(1):sum():item() / 100000, 1, 1e-6)
    check(t:norm():item(), math.sqrt(1e6 * 0.01), 1e-5)
  end)

  it("down columns adds them up in order, on any number of threads", function()
    local many = lariat.threads()
    finally(function() lariat.threads(many) end)
    for dtype, format in pairs { float32 = "<f", float64 = "<d" } do
      local x = lariat.randn(400, 131, { dtype = dtype })
      local want = {}
      for k = 1, 131 do want[k] = 0 end
      for _, row in ipairs(x:totable()) do
        for k, v in ipairs(row) do want[k] = want[k] + v end
      end
      for k, v in ipairs(want) do want[k] = string.unpack(format, string.pack(format, v)) end
      for threads = 1, 2 do
        lariat.threads(threads)
        assert.same(want, x:sum(1):totable())
      end
    end
  end)

  it("or product of many factors keeps to size on the way", function()
    for _, n in ipairs { 5000, 98304 } do
      local t = lariat.full({ n }, 1e-9, { dtype = "float64" })
      t[{ { 1, n, 2 } }] = 1e9 -- every other one
      check(t:prod():item(), 1, 1e-9)
      t[7] = -t[7]
      assert.is_true(t:prod():item() < 0)
      t[n] = 0
      assert.equal(0, t:prod():item())
      t[2] = math.huge
      local v = t:prod():item()
      assert.is_true(v ~= v)
      assert.equal(0, lariat.full({ n }, 0.25):prod():item())
      assert.equal(math.huge, lariat.full({ n }, 4):prod():item())
    end
    local odd = lariat.full({ 5001 }, 3, { dtype = "int64" })
    assert.equal(odd:narrow(1, 1, 5000):prod():item() * 3, odd:prod():item())
  end)

  it("of powers of a long row is that of its parts", function()
    local t = lariat.full({ 100003 }, 2, { dtype = "float64" })
    t[100003] = -5
    check(t:norm():item(), math.sqrt(4 * 100002 + 25))
    check(t:norm(1, { p = 1 }):item(), 2 * 100002 + 5)
    check(t:norm(1, { p = 3 }):item(), (8 * 100002 + 125) ^ (1 / 3))
    assert.equal(100003, t:norm(1, { p = 0 }):item())
    assert.equal(5, t:norm(1, { p = math.huge }):item())
    t[50000] = 0 / 0
    for _, p in ipairs { 1, 2, math.huge } do
      local v = t:norm(1, { p = p }):item()
      assert.is_true(v ~= v)
    end
  end)

  it("does not overflow on the way to a norm", function()
    check(lariat.tensor({ 3e30, 4e30 }):norm():item() / 5e30, 1, 1e-6)
    check(f64({ 3e200, 4e200 }):norm():item() / 5e200, 1)
    check(f64({ 3e-200, 4e-200 }):norm():item() / 5e-200, 1)
    check(lariat.tensor({ 1000, 1000 }):logsumexp():item(), 1000 + math.log(2), 1e-5)
  end)
end)

describe("the number of threads", function()
  local many = lariat.threads()
  teardown(function() lariat.threads(many) end)

  it("changes no bit outside BLAS", function()
    local function all(n)
      lariat.threads(n)
      local out = {}
      for _, dtype in ipairs { "float32", "float64" } do
        lariat.seed(5)
        local a = lariat.randn({ 600, 700 }, { dtype = dtype })
        for _, t in ipairs { a:sum(), a:sum(1), a:sum(2), a:t():contiguous(), a:exp() + a,
          a:softmax(2), a:max(1), a:cumsum(2), a:norm(2), a:prod(1), a:t():sum(1),
          a:mul(2):var(), (a:view(-1):sort()), a:logsumexp(), a:max(), a:argmin(), a:norm(),
          a:view(2, -1):norm(2, { p = 3 }), a:mul(0.1):add(1):prod(), a:mul(3):gelu() } do
          out[#out + 1] = t
        end
      end
      return out
    end
    local one, two, three = all(1), all(2), all(3)
    for k = 1, #one do
      assert.equal(0, one[k]:ne(two[k]):sum():item(), "result " .. k)
      assert.equal(0, one[k]:ne(three[k]):sum():item(), "result " .. k)
    end
  end)
end)

describe("a running sum or product", function()
  local many = lariat.threads()
  after_each(function() lariat.threads(many) end)

  local function same(a, b, what)
    assert.equal(a.dtype, b.dtype)
    assert.equal(0, a:ne(b):sum():item(), what)
  end

  -- Few columns and many, in numbers that no panel divides; the last makes work for threads.
  for _, shape in ipairs { { 5, 1 }, { 9, 31 }, { 3, 33 }, { 1, 67 }, { 300, 1003 } } do
    it(("of %d rows runs down columns as along the transpose"):format(shape[1]), function()
      lariat.seed(4)
      for _, dtype in ipairs { "float32", "float64", "int64" } do
        local t = (lariat.rand(shape, { dtype = "float64" }) * 9 - 4):to(dtype)
        for _, name in ipairs { "cumsum", "cumprod" } do
          local what = name .. " of " .. dtype
          lariat.threads(1)
          local down = t[name](t, 1)
          local along = t:t():contiguous()
          same(down, along[name](along, 2):t(), what)
          local pair = lariat.stack({ t, t * 2 }, 1)
          same(down, pair[name](pair, 2)[1], what .. ", in a batch")
          lariat.threads(2)
          same(down, t[name](t, 1), what .. ", two threads")
        end
      end
    end)
  end

  it("has a derivative that runs back up the columns", function()
    local x, w = randn(11, 45):requires_grad_(true), randn(11, 45)
    local y = x:cumsum(1) * w
    y:sum():backward()
    same(x.grad, w:flip(1):cumsum(1):flip(1), "from the last row")
  end)
end)

describe("a product of matrices", function()
  local function slow(a, b)
    local out = {}
    for i = 1, a.shape[1] do
      out[i] = {}
      for j = 1, b.shape[2] do
        local s = 0
        for k = 1, a.shape[2] do s = s + a:at(i, k) * b:at(k, j) end
        out[i][j] = s
      end
    end
    return out
  end

  it("takes transposed, sliced, reversed and expanded operands", function()
    local a, b = randn(5, 7), randn(7, 4)
    local wide = randn(10, 14)
    local forms = {
      { a, b }, { a, randn(4, 7):t() }, { randn(7, 5):t(), b },
      { randn(7, 5):t(), randn(4, 7):t() },
      { wide[{ { 1, 5 }, { 2, 8 } }], b }, { wide[{ { 1, 10, 2 }, { 1, 14, 2 } }], b },
      { a[{ { 5, 1, -1 } }], b[{ {}, { 4, 1, -1 } }] }, { randn(7):expand(5, 7), b },
      { a, randn(7, 1):expand(7, 4) }, { randn(1, 1), randn(1, 1) }, { randn(1, 7), b },
      { a, randn(7, 1) }, { wide:t()[{ { 3, 7 }, { 1, 7 } }], b },
    }
    for k, f in ipairs(forms) do
      near.check(f[1]:matmul(f[2]), slow(f[1], f[2]), { rel = 1e-12, abs = 1e-12, what = k })
    end
  end)
end)

describe("a copy", function()
  it("between any layouts and dtypes keeps every element in its place", function()
    for _, shape in ipairs { { 70, 90 }, { 150, 301 }, { 2, 65, 33 }, { 3, 5, 40, 41 } } do
      local n = 1
      for _, s in ipairs(shape) do n = n * s end
      for _, dtype in ipairs { "float32", "float64", "int64" } do
        local t = lariat.arange(n, { dtype = dtype }):view(shape)
        local turned = t:transpose(-1, -2)
        local flat = turned:contiguous()
        assert.equal(0, flat:transpose(-1, -2):ne(t):sum():item())
        assert.equal(0, turned:double():contiguous():ne(flat:double()):sum():item())
        local back = lariat.zeros(t.shape, { dtype = dtype })
        back:transpose(-1, -2):copy_(flat)
        assert.equal(0, back:ne(t):sum():item())
      end
    end
  end)

  it("of any order of dimensions counts through the elements as the strides say", function()
    local shape, dtypes = { 3, 17, 9, 34 }, { "float32", "float64", "int64", "bool" }
    local n = 3 * 17 * 9 * 34
    local t = (lariat.arange(n) - 1):view(shape)
    local function cut(x, dtype) return (dtype == "bool" and x:mod(3) or x):to(dtype) end
    local orders = { { 4, 3, 2, 1 }, { 1, 3, 4, 2 }, { 2, 4, 1, 3 }, { 4, 1, 2, 3 },
      { 3, 2, 1, 4 } }
    for _, p in ipairs(orders) do
      local wanted, step = lariat.zeros(1), { 17 * 9 * 34, 9 * 34, 34, 1 }
      for k, d in ipairs(p) do
        local view = { 1, 1, 1, 1 }
        view[k] = shape[d]
        wanted = wanted + (lariat.arange(shape[d]) - 1):view(view) * step[d]
      end
      for _, dtype in ipairs(dtypes) do
        local moved = cut(t, dtype):permute(table.unpack(p))
        assert.equal(0, moved:contiguous():ne(cut(wanted, dtype)):sum():item())
      end
    end
  end)
end)

describe("an elementwise operation", function()
  local many = lariat.threads()
  after_each(function() lariat.threads(many) end)

  it("on operands that lie the other way gives what it gives on straight ones", function()
    local function straight(...)
      local out = {}
      for k, t in ipairs { ... } do out[k] = t:contiguous() end
      return table.unpack(out)
    end
    local function same(fn, ...)
      local wanted = fn(straight(...))
      for _, threads in ipairs { 1, 2 } do
        lariat.threads(threads)
        local y = fn(...)
        assert.equal(wanted.dtype, y.dtype)
        assert.same(wanted.shape, y.shape)
        assert.is_true(y:is_contiguous())
        assert.equal(0, y:ne(wanted):sum():item())
      end
    end
    local function mul(a, b) return a * b end
    local function mix(a, b, c) return lariat.where(a:gt(0), b, c) end
    local a, b, row, column = randn(501, 333), randn(501, 333), randn(501), randn(333, 1)
    same(mul, a:t(), b:t())
    same(mul, a:t(), (b * 9):long():t())
    same(mul, row, a:t())
    same(mul, a:float():t(), column)
    same(mul, a:t(), b:view(333, 501))
    same(function(x) return x:abs() end, a:t())
    same(mix, a:t(), b:t(), row)
    same(function(x, y) return x:gt(y) end, a:t(), b:t())
    local u, v = randn(3, 70, 5, 200), randn(3, 70, 5, 200)
    same(mul, u:permute(1, 4, 3, 2), v:permute(1, 4, 3, 2))
    same(mul, u:permute(4, 1, 2, 3), v:permute(4, 1, 2, 3))
    same(mul, u:permute(1, 4, 3, 2)[{ {}, {}, { 5, 1, -2 } }],
      v:permute(1, 4, 3, 2)[{ {}, {}, { 1, 5, 2 } }])
  end)
end)

describe("an order", function()
  it("is stable and complete, for any length", function()
    lariat.seed(2)
    for _, n in ipairs { 1, 2, 15, 16, 17, 33, 100, 1000 } do
      local t = lariat.randint(1, 10, { n })
      for _, down in ipairs { false, true } do
        local v, i = t:sort(1, { descending = down })
        for k = 2, n do
          local a, b = v[k - 1], v[k]
          assert.is_true(down and a >= b or not down and a <= b)
          if a == b then assert.is_true(i[k - 1] < i[k]) end
        end
        assert.equal(n * (n + 1) // 2, i:sum():item())
        assert.equal(0, t:gather(1, i):ne(v):sum():item())
      end
    end
  end)

  it("finds the first of equal extremes in long rows and columns", function()
    local t = lariat.zeros(3, 2000)
    t[{ 1, 700 }], t[{ 1, 1500 }], t[{ 2, 2000 }] = 5, 5, -1
    assert.same({ 700, 1, 1 }, t:argmax(2):totable())
    assert.same({ 1, 2000, 1 }, t:argmin(2):totable())
    assert.equal(700, t:argmax():item())
    assert.equal(4000, t:argmin():item())
    t[{ 3, 1999 }] = 0 / 0
    assert.equal(1999, t:argmax(2)[3])
    assert.equal(5999, t:argmin():item())
    local c = t:t():contiguous()
    assert.same({ 700, 1, 1999 }, c:argmax(1):totable())
    assert.same({ 1, 2000, 1999 }, c:argmin(1):totable())
    assert.equal(1, t:select(1, 2):median():ge(0):sum():item())
  end)

  it("finds them in rows long enough to be cut, of any dtype", function()
    for _, dtype in ipairs { "float32", "float64", "int64" } do
      local t = lariat.zeros({ 2, 5000001 }, { dtype = dtype })
      t[{ 1, 70000 }], t[{ 1, 4900000 }], t[{ 2, 5000001 }] = 5, 5, -1
      assert.same({ 70000, 1 }, t:argmax(2):totable())
      assert.same({ 1, 5000001 }, t:argmin(2):totable())
      assert.equal(70000, t:argmax():item())
      assert.equal(5, t:max():item())
      assert.equal(-1, t:min():item())
      if dtype ~= "int64" then
        t[{ 1, 60000 }], t[{ 1, 4800000 }] = 0 / 0, 0 / 0
        assert.equal(60000, t:argmax():item())
        assert.equal(60000, t:argmin():item())
        local low = t:min():item()
        assert.is_true(low ~= low)
      end
    end
  end)

  it("takes the lower of two middles", function()
    assert.equal(2, lariat.tensor({ 4, 1, 2, 3 }):median():item())
    assert.equal(2.5, lariat.tensor({ 4, 1, 2, 3 }):quantile(0.5):item())
    assert.same({ 1, 4 }, lariat.tensor({ 4, 1, 2, 3 }):quantile({ 0, 1 }):totable())
  end)
end)

describe("a factorisation", function()
  local shapes = { { 4, 4 }, { 6, 3 }, { 3, 6 }, { 2, 3, 5, 4 }, { 1, 1 }, { 40, 30 } }
  local function t(x) return x:transpose(-1, -2) end

  it("multiplies out, with orthogonal factors", function()
    for _, shape in ipairs(shapes) do
      for _, dtype in ipairs { "float64", "float32" } do
        local tol = dtype == "float64" and 1e-11 or 1e-4
        local a = lariat.randn(shape, { dtype = dtype })
        local k = math.min(shape[#shape], shape[#shape - 1])
        local one = lariat.eye(k, { dtype = dtype })
        local u, s, v = a:svd()
        check(((u * s:unsqueeze(-2)):matmul(t(v)) - a):norm(), 0, tol)
        check((t(u):matmul(u) - one):abs():max(), 0, tol)
        check((t(v):matmul(v) - one):abs():max(), 0, tol)
        local q, r = a:qr()
        check((q:matmul(r) - a):norm(), 0, tol)
        check((t(q):matmul(q) - one):abs():max(), 0, tol)
        check((r:triu() - r):abs():max(), 0, tol)
        assert.is_true(r:diagonal():ge(0):all():item())
        check((a:matmul(a:pinv()):matmul(a) - a):norm(), 0, tol)
        local spd = a:matmul(t(a)) + lariat.eye(shape[#shape - 1], { dtype = dtype })
        local l = spd:cholesky()
        check((l:matmul(t(l)) - spd):norm() / spd:norm(), 0, tol)
        local w, e = spd:eigh()
        check(((e * w:unsqueeze(-2)):matmul(t(e)) - spd):norm() / spd:norm(), 0, tol)
        check((spd:inv():matmul(spd) - lariat.eye(spd.shape[#spd.shape], { dtype = dtype }))
          :abs():max(), 0, 10 * tol)
        local _, log_det = spd:slogdet()
        check(log_det, near.plain(w:log():sum(-1)), 100 * tol)
      end
    end
  end)

  it("solves, in batches and for vectors, and in the least squares", function()
    local a, b = randn(3, 4, 4) + 4 * lariat.eye(4, { dtype = "float64" }), randn(4, 2)
    check((a:matmul(a:solve(b)) - b):abs():max(), 0, 1e-11)
    local v = randn(3, 4)
    check((a:matmul(a:solve(v):unsqueeze(-1)):squeeze(-1) - v):abs():max(), 0, 1e-11)
    check((a[1]:matmul(a[1]:solve(v[1])) - v[1]):abs():max(), 0, 1e-11)
    local x, y = randn(20, 3), randn(20)
    check((x:t():matmul(x:matmul(x:lstsq(y)) - y)):abs():max(), 0, 1e-11)
    local short = lariat.cat({ x, x[{ {}, { 1 } }] }, 2) -- a column twice
    local z = short:lstsq(y)
    check(z[1], z[4], 1e-9)
    check((short:matmul(z) - x:matmul(x:lstsq(y))):abs():max(), 0, 1e-10)
    check(f64({ { 2, 1 }, { 1, 3 } }):det(), 5)
    assert.equal(2, f64({ { 1, 2, 3 }, { 2, 4, 6 }, { 1, 0, 1 } }):matrix_rank():item())
    check(f64({ { 3, 0 }, { 0, 2 } }):cond(), 1.5)
    assert.equal(0, f64({ { 1, 2 }, { 2, 4 } }):det():item())
  end)

  it("of what has none is refused with the reason", function()
    fails("cholesky: the leading minor of order 2 is not positive", function()
      f64({ { 1, 2 }, { 2, 1 } }):cholesky()
    end)
    fails("inv: a matrix of shape %(2, 2%) is singular: pivot 2 is 0", function()
      f64({ { 1, 2 }, { 2, 4 } }):inv()
    end)
    fails("solve: a matrix of shape %(2, 2%) is singular", function()
      f64({ { 1, 2 }, { 2, 4 } }):solve(f64 { 1, 2 })
    end)
    fails("element 2 of its diagonal is 0", function()
      f64({ { 1, 0 }, { 2, 0 } }):solve_triangular(f64 { 1, 2 })
    end)
    fails("svd: a matrix of shape %(1, 2%) holds NaN", function()
      f64({ { 1, 0 / 0 } }):svd()
    end)
    fails("%(2, 3%) is not square", function() randn(2, 3):cholesky() end)
    fails("right side of shape %(3%)", function() randn(2, 2):solve(randn(3)) end)
    fails("%(3%) is not a matrix", function() randn(3):svd() end)
  end)

  it("of nothing is nothing", function()
    local e = lariat.zeros(0, 0)
    assert.equal(1, e:det():item())
    assert.same({ 0, 0 }, e:inv().shape)
    assert.same({ 0 }, (e:eigh()).shape)
    assert.same({ 3, 0 }, (lariat.zeros(3, 0):qr()).shape)
    assert.same({ 0, 3, 3 }, lariat.zeros(0, 3, 3):inv().shape)
    assert.same({ 0 }, select(2, lariat.zeros(0, 3):svd()).shape)
  end)
end)

describe("a mask", function()
  it("takes and puts the same elements on any number of threads", function()
    local many = lariat.threads()
    finally(function() lariat.threads(many) end)
    for _, dtype in ipairs { "float32", "float64", "int64", "bool" } do
      local x = lariat.randint(0, 5, { 400, 401 }, { dtype = dtype })
      local mask = lariat.rand(400, 401):gt(0.7)
      local on, flat, want, put = mask:view(-1):totable(), x:view(-1):totable(), {}, {}
      for k, yes in ipairs(on) do
        if yes then want[#want + 1] = flat[k] end
        put[k] = flat[yes and #want or k]
      end
      for threads = 1, 2 do
        lariat.threads(threads)
        local y, z = x:clone(), x:t():contiguous():t()
        assert.same(want, x:masked_select(mask):totable())
        y[mask] = x:view(-1):narrow(1, 1, #want)
        z[mask] = x:view(-1):narrow(1, 1, #want)
        assert.same(put, y:view(-1):totable())
        assert.is_true(z:eq(y):all():item())
        y[mask] = 1
        local ones = lariat.ones(1, { dtype = dtype })
        assert.is_true(y:eq(lariat.where(mask, ones, x)):all():item())
      end
    end
  end)
end)

-- The places of a list's elements in their order, equals as they came, NaN the largest.
local function order_of(v, descending)
  local function less(a, b) return a < b or (b ~= b and a == a) end
  local places = {}
  for i = 1, #v do places[i] = i end
  table.sort(places, function(a, b)
    local p, q = v[a], v[b]
    if descending then p, q = q, p end
    if less(p, q) or less(q, p) then return less(p, q) end
    return a < b
  end)
  return places
end

describe("an order", function()
  local function check_order(x, descending)
    local options = { descending = descending }
    local rows, columns = x:argsort(2, options), x:t():contiguous():argsort(1, options)
    assert.same(rows:totable(), columns:t():totable())
    for r = 1, x.shape[1] do
      local want = order_of(x[r]:totable(), descending)
      assert.same(want, rows[r]:totable())
      for k = 1, math.min(70, #want), 23 do
        local values, places = x:topk(k, 2, { largest = descending })
        assert.same({ table.unpack(want, 1, k) }, places[r]:totable())
        assert.is_true(rawequal(values.shape[2], k))
      end
    end
  end

  it("of few and many elements is that of Lua, equals and NaN among them", function()
    for _, dtype in ipairs { "float32", "float64", "int64" } do
      for _, n in ipairs { 1, 2, 17, 300, 1023, 1024, 2500 } do
        local x = lariat.randint(-9, 9, { 2, n }, { dtype = dtype })
        if dtype ~= "int64" then
          x[x:gt(8)] = 0 / 0
          x[x:lt(-8)] = -math.huge
          x[x:eq(3)] = -0.0
          x[1] = x[1] + lariat.randn(n, { dtype = dtype })
        end
        check_order(x, false)
        check_order(x, true)
      end
    end
  end)
end)
