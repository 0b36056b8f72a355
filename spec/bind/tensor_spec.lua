-- Making tensors, their properties, dtypes and how they meet, views that see writes.
local lariat = require "lariat"
local near = require "spec.support.near"

local function same(want, t) assert.same(want, near.plain(t)) end
local function fails(pattern, fn, ...)
  local ok, message = pcall(fn, ...)
  assert.is_false(ok)
  assert.is_truthy(tostring(message):find(pattern), message)
end
local function i64(t) return lariat.tensor(t, { dtype = "int64" }) end
local function f64(t) return lariat.tensor(t, { dtype = "float64" }) end

describe("a tensor", function()
  it("comes from nested tables, float32 unless said otherwise", function()
    local a = lariat.tensor { { 1, 2, 3 }, { 4, 5, 6 } }
    assert.same({ 2, 3 }, a.shape)
    assert.equal("float32", a.dtype)
    assert.equal(2, a.ndim)
    assert.equal(6, a.numel)
    assert.equal(2, #a)
    same({ { 1, 2, 3 }, { 4, 5, 6 } }, a)
    assert.equal("float64", f64({ 1 }).dtype)
    assert.equal("bool", lariat.tensor({ true, false }).dtype)
    assert.equal("int64", i64({ 1 }).dtype)
    assert.equal(math.maxinteger, i64({ math.maxinteger })[1])
    assert.equal(0, lariat.tensor(5).ndim)
    assert.equal(5, lariat.tensor(5):item())
    assert.same({ 0 }, lariat.tensor({}).shape)
    assert.same({ 2, 0 }, lariat.tensor({ {}, {} }).shape)
  end)

  it("keeps no link to the table or tensor it came from", function()
    local a = lariat.ones(2)
    local b = lariat.tensor(a)
    b:zero_()
    same({ 1, 1 }, a)
  end)

  it("is refused when its table is ragged, mixed or too deep", function()
    fails("depth 2 has 1 items, the first one there has 2", lariat.tensor, { { 1, 2 }, { 3 } })
    fails("found a string where a number should be", lariat.tensor, { 1, "x" })
    fails("found a number where a table of 2 should be", lariat.tensor, { { 1, 2 }, 3 })
    fails("found a nil", lariat.tensor, { { 1, 2 }, { nil, 3 } })
    fails("1.5 is not an integer", lariat.tensor, { 1.5 }, { dtype = "int64" })
    fails("unknown dtype 'int32'", lariat.tensor, { 1 }, { dtype = "int32" })
    fails("did you mean 'dtype'", lariat.tensor, { 1 }, { dtyp = "int64" })
    fails("nested deeper than 8", lariat.tensor, { { { { { { { { { 1 } } } } } } } } })
    fails("int64 tensor has no derivative", lariat.tensor, { 1 },
      { dtype = "int64", requires_grad = true })
    fails("string cannot be made a tensor", lariat.tensor, "x")
  end)

  it("comes filled", function()
    same({ { 0, 0 }, { 0, 0 } }, lariat.zeros(2, 2))
    same({ { 0, 0 } }, lariat.zeros { 1, 2 })
    same({ 1, 1 }, lariat.ones(2))
    same({ 7, 7 }, lariat.full({ 2 }, 7))
    same({ { 1, 0 }, { 0, 1 } }, lariat.eye(2))
    same({ { 1, 0, 0 }, { 0, 1, 0 } }, lariat.eye(2, 3))
    same({ 1, 3, 5, 7, 9 }, lariat.arange(1, 10, 2))
    same({ 1, 2, 3 }, lariat.arange(3))
    same({ 3, 2, 1 }, lariat.arange(3, 1, -1))
    same({ 0, 0.25, 0.5, 0.75, 1 }, lariat.linspace(0, 1, 5))
    same({ 2 }, lariat.linspace(2, 9, 1))
    assert.equal("int64", lariat.zeros(2, { dtype = "int64" }).dtype)
    assert.is_true(lariat.ones(2, { requires_grad = true }).requires_grad)
    fails("negative", lariat.zeros, -1)
    fails("at most 8", lariat.zeros, 1, 1, 1, 1, 1, 1, 1, 1, 1)
    fails("too large", lariat.zeros, 2 ^ 40 // 1 | 0, 2 ^ 40 // 1 | 0)
    fails("has no end", lariat.arange, 1, 2, 0)
  end)

  it("arange takes the whole way although a step is rounded", function()
    assert.equal(11, lariat.arange(0, 1, 0.1).numel)
    assert.equal(31, lariat.arange(0, 3, 0.1).numel)
  end)

  it("has a default dtype that can be set", function()
    assert.equal("float32", lariat.default_dtype())
    lariat.default_dtype("float64")
    assert.equal("float64", lariat.zeros(1).dtype)
    lariat.default_dtype("float32")
    fails("int64 is not a float", lariat.default_dtype, "int64")
  end)

  it("is equal only to itself, and its metatable is of no use to others", function()
    local a = lariat.ones(2)
    assert.is_true(a == a)
    assert.is_false(a == lariat.ones(2))
    fails("no 'nothing'", function() return a.nothing end)
    fails("no field 'shape' to set", function() a.shape = 1 end)
  end)

  it("of one element compares by value, and refuses more", function()
    assert.is_true(lariat.tensor(1) < lariat.tensor(2))
    assert.is_true(lariat.tensor(1) <= 1)
    fails("one element", function() return lariat.ones(2) < 1 end)
    fails("does not hold one element", function() return lariat.ones(2):item() end)
  end)
end)

describe("random tensors", function()
  it("repeat from a seed", function()
    lariat.seed(7)
    local a, b, c, d = lariat.rand(5), lariat.randn(5), lariat.randint(1, 6, { 5 }),
      lariat.randperm(5)
    lariat.seed(7)
    assert.same(a:totable(), lariat.rand(5):totable())
    assert.same(b:totable(), lariat.randn(5):totable())
    assert.same(c:totable(), lariat.randint(1, 6, { 5 }):totable())
    assert.same(d:totable(), lariat.randperm(5):totable())
    assert.not_same(a:totable(), lariat.rand(5):totable())
  end)

  it("do not depend on the number of threads", function()
    local many = lariat.threads()
    lariat.seed(3)
    local a = lariat.randn(100000)
    lariat.threads(1)
    lariat.seed(3)
    local b = lariat.randn(100000)
    lariat.threads(many)
    assert.equal(0, (a:ne(b)):sum():item())
  end)

  it("have the moments of their distributions", function()
    lariat.seed(1)
    local u, n = lariat.rand(100000, { dtype = "float64" }),
      lariat.randn(100000, { dtype = "float64" })
    near.check(u:mean(), 0.5, { rel = 0, abs = 0.005, what = "mean of rand" })
    near.check(u:var(), 1 / 12, { rel = 0, abs = 0.002, what = "variance of rand" })
    near.check(n:mean(), 0, { rel = 0, abs = 0.015, what = "mean of randn" })
    near.check(n:var(), 1, { rel = 0, abs = 0.02, what = "variance of randn" })
    assert.is_true(u:min():item() >= 0 and u:max():item() < 1)
    local k = lariat.randint(-2, 3, { 6000 })
    assert.equal("int64", k.dtype)
    for v = -2, 3 do
      local count = k:eq(v):sum():item()
      assert.is_true(count > 850 and count < 1150, v .. ": " .. count)
    end
    local p = lariat.randperm(50)
    same(lariat.arange(50):totable(), (p:sort()))
    fails("empty", lariat.randint, 3, 2, { 1 })
    fails("not a float", lariat.rand, 2, { dtype = "int64" })
  end)

  it("randperm puts each element in turn where a draw says", function()
    for _, n in ipairs { 0, 1, 63, 64, 65, 128, 200 } do
      lariat.seed(n)
      local dealt, after = lariat.randperm(n):totable(), lariat.rand(1):item()
      lariat.seed(n)
      local wanted = {}
      for i = 1, n do
        local j = lariat.randint(1, i, { 1 }):item()
        wanted[i] = wanted[j]
        wanted[j] = i
      end
      assert.same(wanted, dealt)
      assert.equal(lariat.rand(1):item(), after)
    end
  end)
end)

describe("dtypes that meet", function()
  local one = {}
  for _, name in ipairs { "float32", "float64", "int64", "bool" } do
    one[name] = lariat.ones(2, { dtype = name })
  end
  local sums = {
    float32 = { float32 = "float32", float64 = "float64", int64 = "float32", bool = "float32" },
    float64 = { float64 = "float64", int64 = "float64", bool = "float64" },
    int64 = { int64 = "int64", bool = "int64" },
    bool = { bool = "int64" },
  }
  it("promote: the wider float, a float before integers, integers before bool", function()
    for a, row in pairs(sums) do
      for b, want in pairs(row) do
        assert.equal(want, (one[a] + one[b]).dtype, a .. " + " .. b)
        assert.equal(want, (one[b] * one[a]).dtype, b .. " * " .. a)
        assert.equal(lariat.cat({ one[a], one[b] }).dtype, a == b and a or want)
      end
    end
  end)

  it("give floats where the mathematics needs them", function()
    assert.equal("float32", (one.int64 / one.int64).dtype)
    assert.equal("float32", one.int64:exp().dtype)
    assert.equal("float32", one.int64:mean().dtype)
    assert.equal("float64", one.float64:exp().dtype)
    assert.equal("int64", one.bool:sum().dtype)
    assert.equal("bool", one.int64:gt(0).dtype)
  end)

  it("with a number: it takes the tensor's dtype", function()
    assert.equal("float32", (one.float32 + 1.5).dtype)
    assert.equal("float64", (1 / one.float64).dtype)
    assert.equal("int64", (one.int64 + 1).dtype)
    assert.equal("float32", (one.int64 + 1.5).dtype)
    assert.equal("float32", (one.int64 * 2.0).dtype)
    assert.equal("int64", (one.bool + 1).dtype)
    near.check(f64({ 1 }) + 0.1, { 1.1 }, { rel = 0, abs = 0, what = "no rounding" })
  end)

  it("of integers by a setting that is no whole number are floats, small or large", function()
    for _, n in ipairs { 3, 1e5 } do
      local a = lariat.arange(1, n):long()
      for _, y in ipairs { a:add(a, 0.5), a:sub(a, -0.5), lariat.add(a, a, { alpha = 0.5 }) } do
        assert.equal("float32", y.dtype)
        assert.equal(4.5, y:at(3))
      end
      assert.equal(1.5, a:clamp(1.5, 2.5):at(1))
      assert.equal("int64", a:add(a, 2).dtype)
      assert.equal("int64", a:clamp(2).dtype)
      local ok, why = pcall(a.add_, a, a, 0.5)
      assert.is_false(ok)
      assert.matches("add: a float32 result does not fit into a tensor of int64", why)
      assert.equal(3, a:at(3))
    end
  end)

  it("keep all 64 bits of integers", function()
    local big = math.maxinteger
    assert.equal(big - 1, (i64({ big }) - 1)[1])
    assert.equal(big, i64({ big, 3 }):max():item())
    assert.equal(big - 2, i64({ big, -2 }):sum():item())
    assert.equal(3 * (2 ^ 61 // 1 | 0), i64({ 2 ^ 61 // 1 | 0 }):mul(3)[1])
    assert.is_true(i64({ big }):eq(i64({ big })):all():item())
    assert.is_false(i64({ big }):eq(big - 1):any():item())
    assert.equal(math.mininteger, (i64({ big }) + 1)[1])
    assert.same({ 2 ^ 53 // 1 + 1 | 0 }, i64({ 2 ^ 53 // 1 + 1 | 0 }):sort():totable())
    assert.same({ -4, 3, -4, 3 }, (i64({ -7, 7, 7, -7 }) // i64({ 2, 2, -2, -2 })):totable())
  end)

  it("convert by to, and to itself gives itself", function()
    local a = lariat.tensor { -1.7, 0, 2.9 }
    same({ -1, 0, 2 }, a:long())
    same({ true, false, true }, a:bool())
    assert.equal("float64", a:double().dtype)
    assert.is_true(a:to("float32") == a)
    assert.equal("float32", a:double():float().dtype)
    fails("unknown dtype", a.to, a, "half")
  end)
end)

describe("a view", function()
  it("sees writes to what it is a view of, and the other way round", function()
    local a = lariat.arange(6):view(2, 3)
    local row, col, t, part = a[2], a:select(2, 1), a:t(), a[{ {}, { 2, 3 } }]
    a[{ 2, 1 }] = 40
    assert.equal(40, row[1])
    assert.equal(40, col[2])
    assert.equal(40, t[1][2])
    t[{ 3, 1 }] = 30
    assert.equal(30, a[1][3])
    assert.equal(30, part[1][2])
    part:zero_()
    same({ { 1, 0, 0 }, { 40, 0, 0 } }, a)
    a:view(-1)[1] = 9
    assert.equal(9, a:at(1, 1))
  end)

  it("is a copy where a copy is asked for", function()
    local a = lariat.ones(2, 2)
    for _, copy in ipairs { a:clone(), a:flip(), a:t():contiguous(), a:tile(1), a + 0 } do
      copy:zero_()
    end
    assert.equal(4, a:sum():item())
  end)

  it("of an expanded tensor may be read, not written element by element apart", function()
    local a = lariat.tensor({ { 1 }, { 2 } }):expand(2, 3)
    same({ { 1, 1, 1 }, { 2, 2, 2 } }, a)
    assert.is_false(a:is_contiguous())
  end)
end)

describe("in place", function()
  it("an op may read what it overwrites", function()
    local a = lariat.arange(9):view(3, 3)
    a:add_(a:t())
    same({ { 2, 6, 10 }, { 6, 10, 14 }, { 10, 14, 18 } }, a)
    local b = lariat.arange(5)
    b[{ { 2, 5 } }]:add_(b[{ { 1, 4 } }])
    same({ 1, 3, 5, 7, 9 }, b)
    local c = lariat.arange(5)
    c[{ { 2, 5 } }] = c[{ { 1, 4 } }]
    same({ 1, 1, 2, 3, 4 }, c)
    local d = lariat.arange(4)
    d:copy_(d:flip())
    same({ 4, 3, 2, 1 }, d)
    local e = lariat.arange(3)
    e:mul_(e)
    same({ 1, 4, 9 }, e)
    local f = lariat.arange(3)
    f:sub_(f[2])
    same({ -1, 0, 1 }, f)
  end)

  it("refuses what does not fit, and changes nothing", function()
    local a, k = lariat.ones(2), i64({ 1, 2 })
    fails("does not fit into %(2%)", a.add_, a, lariat.ones(3, 2))
    fails("float32 result does not fit into a tensor of int64", k.add_, k, 0.5)
    fails("do not broadcast", a.add_, a, lariat.ones(3))
    fails("cannot be expanded", a.copy_, a, lariat.ones(3))
    same({ 1, 1 }, a)
    same({ 1, 2 }, k)
  end)

  it("gives the tensor back", function()
    local a = lariat.zeros(2)
    assert.is_true(a:add_(1):mul_(3):clamp_(0, 2) == a)
    same({ 2, 2 }, a)
  end)
end)

describe("no elements, one, and eight dimensions:", function()
  it("an empty tensor goes through", function()
    local e = lariat.zeros(0, 3)
    assert.equal(0, e:sum():item())
    assert.equal(1, e:prod():item())
    same({ 0, 0, 0 }, e:sum(1))
    assert.same({ 0 }, e:sum(2).shape)
    assert.same({ 0, 3 }, (e + lariat.ones(3)).shape)
    assert.same({ 3, 0 }, e:t().shape)
    assert.same({ 0, 4 }, e:matmul(lariat.ones(3, 4)).shape)
    same({ { 0, 0 }, { 0, 0 } }, lariat.zeros(2, 0):matmul(lariat.zeros(0, 2)))
    assert.same({ 2, 3 }, lariat.cat({ e, lariat.ones(2, 3) }).shape)
    assert.same({ 0, 3 }, e:softmax(2).shape)
    assert.same({ 0, 3 }, (e:sort(1)).shape)
    assert.same({ 0, 3 }, e:cumsum(1).shape)
    assert.same({ 0 }, (e:max(2)).shape)
    assert.is_true(e:mean():item() ~= e:mean():item())
    fails("no elements to choose from", e.max, e)
    fails("no elements to choose from", e.argmax, e, 1)
    fails("no elements", e.quantile, e, 0.5)
    assert.same({}, e:totable())
    local w = lariat.zeros(0, 3, { requires_grad = true })
    w:exp():sum():backward()
    assert.same({ 0, 3 }, w.grad.shape)
    assert.same({ 0, 3 }, lariat.ones(2, 3)[lariat.zeros(0, { dtype = "int64" })].shape)
    assert.same({ 0 }, lariat.ones(3)[lariat.zeros(3):gt(1)].shape)
  end)

  it("a scalar goes through", function()
    local s = lariat.tensor(4)
    assert.equal(2, s:sqrt():item())
    assert.equal(4, s:sum():item())
    assert.equal(4, s:max():item())
    assert.equal(1, s:argmax():item())
    assert.equal(1, s:softmax():item())
    assert.equal(4, (s:sort()):item())
    assert.equal(4, s:cumsum():item())
    assert.equal(0, s:t().ndim)
    assert.same({ 1, 1 }, s:view(1, 1).shape)
    assert.same({ 2, 3 }, s:expand(2, 3).shape)
    fails("a scalar", function() return s[1] end)
    fails("a scalar has no length", function() return #s end)
    fails("use %* with a scalar", s.matmul, s, s)
  end)

  it("eight dimensions are the most", function()
    local a = lariat.ones(2, 1, 2, 1, 2, 1, 2, 1)
    local b = a:permute(8, 7, 6, 5, 4, 3, 2, 1) * 2 + a
    assert.same({ 2, 2, 2, 2, 2, 2, 2, 2 }, b.shape)
    assert.equal(3 * 256, b:sum():item())
    same(lariat.full({ 2, 2 }, 3 * 64):totable(), b:sum { 1, 2, 3, 4, 5, 6 })
    fails("8 dimensions", a.unsqueeze, a, 1)
    fails("8 dimensions", lariat.stack, { a, a })
  end)
end)

describe("NaN and infinity", function()
  local nan, inf = 0 / 0, math.huge
  it("stay what they are", function()
    local t = lariat.tensor { 1, nan, -inf }
    same({ false, true, false }, t:isnan())
    same({ false, false, true }, t:isinf())
    same({ true, false, false }, t:isfinite())
    for _, v in ipairs { t:sum(), t:max(), t:min(), t:norm(), t:logsumexp(), t:median(),
      t:quantile(0.5), t:prod(), t:relu():sum(), t:clamp(0, 1):sum() } do
      assert.is_true(v:isnan():item())
    end
    local v, i = t:max(1)
    assert.is_true(v:isnan():item())
    assert.equal(2, i:item())
    assert.equal(2, t:argmin():item())
    same({ 3, 1, 2 }, t:argsort())
    same({ 2, 1, 3 }, t:argsort(1, { descending = true }))
    same({ false, false, true }, t:eq(t:clone()):logical_and(t:lt(0)))
  end)

  it("do not leak through where or masks", function()
    local x = lariat.tensor({ -1, 4 }, { requires_grad = true })
    local y = lariat.where(x:gt(0), x:sqrt(), 0)
    same({ 0, 2 }, y:detach())
    assert.equal(4, lariat.tensor({ nan, 4 }):masked_fill(lariat.tensor { true, false }, 0)
      :sum():item())
  end)
end)
