-- hvp, jacobian, hessian and check_gradient.
local lariat = require "lariat"
local near = require "spec.support.near"

local function f64(t) return lariat.tensor(t, { dtype = "float64" }) end
local function randn(...) return lariat.randn({ ... }, { dtype = "float64" }) end
local function check(t, want)
  near.check(t, want, { rel = 1e-12, abs = 1e-12, what = "value" })
end
local function fails(pattern, fn, ...)
  local ok, message = pcall(fn, ...)
  assert.is_false(ok)
  assert.is_truthy(tostring(message):find(pattern), message)
end

describe("hvp", function()
  it("is the Hessian times a vector", function()
    local function f(w) return (w ^ 3):sum() + w[{ { 1 } }]:sum() * w[{ { 2 } }]:sum() end
    check(lariat.hvp(f, f64 { 1, 2 }, f64 { 1, 10 }), { 6 + 10, 1 + 120 })
  end)

  it("takes lists, and functions that do not depend on their point", function()
    local h = lariat.hvp(function(p) return (p[1] * p[2]):sum() end,
      { f64 { 1 }, f64 { 2 } }, { f64 { 3 }, f64 { 5 } })
    check(h[1], { 5 })
    check(h[2], { 3 })
    check(lariat.hvp(function() return f64(1) end, f64 { 1 }, f64 { 1 }), { 0 })
    check(lariat.hvp(function(w) return (w * 2):sum() end, f64 { 1 }, f64 { 1 }), { 0 })
  end)

  it("works inside no_grad, and leaves the point alone", function()
    local w = f64 { 3 }
    lariat.no_grad(function()
      check(lariat.hvp(function(x) return (x ^ 3):sum() end, w, f64 { 1 }), { 18 })
    end)
    assert.is_false(w.requires_grad)
  end)

  it("refuses what is no number, no tensor, no fit", function()
    local w = f64 { 1, 2 }
    fails("one number, not a tensor of shape %(2%)", lariat.hvp, function(x) return x end, w, w)
    fails("must return a tensor, not a number", lariat.hvp, function() return 1 end, w, w)
    fails("must have the shape %(2%)", lariat.hvp, function(x) return x:sum() end, w, f64 { 1 })
    fails("int64 and has no derivative", lariat.hvp, function(x) return x:sum() end,
      lariat.zeros(1, { dtype = "int64" }), w)
  end)
end)

describe("jacobian and hessian", function()
  it("have the output's shape, then the input's", function()
    local a = f64 { { 1, 2, 3 }, { 4, 5, 6 } }
    check(lariat.jacobian(function(x) return a:matmul(x) end, f64 { 1, 1, 1 }), a:totable())
    local j = lariat.jacobian(function(x) return x * x end, f64 { { 1, 2 } })
    assert.same({ 1, 2, 1, 2 }, j.shape)
    check(j, { { { { 2, 0 } }, { { 0, 4 } } } })
    assert.same({ 3 }, lariat.jacobian(function(x) return x:sum() end, f64 { 1, 2, 3 }).shape)
    local both = lariat.jacobian(function(p) return p[1] * p[2] end, { f64 { 2 }, f64 { 3 } })
    check(both[1], { { 3 } })
    check(both[2], { { 2 } })
    check(lariat.hessian(function(x) return (x ^ 3):sum() end, f64 { 1, 2 }),
      { { 6, 0 }, { 0, 12 } })
  end)
end)

describe("check_gradient", function()
  it("passes what is right, to the second order", function()
    assert.is_true(lariat.check_gradient(function(x) return x:sin() * x:exp() end,
      lariat.randn(2, 3), { order = 2 }))
    assert.is_true(lariat.check_gradient(function(p) return p[1]:matmul(p[2]) end,
      { lariat.randn(2, 3), lariat.randn(3) }))
  end)

  it("names the first element that disagrees, and both values", function()
    local function wrong(x)
      return (x * x):detach() + x -- the derivative of the square is lost
    end
    fails("first derivative: element %(1, 1%) is [%d.e+-]+ by derivation and [%d.e+-]+ by",
      lariat.check_gradient, wrong, f64 { { 1, 2 } })
    fails("item 2, element %(1%)", lariat.check_gradient, function(p)
      return p[1] + p[2]:detach()
    end, { f64 { 1 }, f64 { 2 } })
    fails("second derivative", lariat.check_gradient, function(x)
      return x * (x * x):detach() + (x ^ 3):detach() * 2 / 3 * 3 - (x ^ 3):detach() * 2
        + (x - x:detach()) * (x * x * 2):detach()
    end, f64 { 1.5 }, { order = 2 })
    fails("did you mean 'eps'", lariat.check_gradient, function(x) return x end, f64 { 1 },
      { ep = 1 })
  end)
end)

describe("einsum", function()
  it("is what the notation says", function()
    local a, b = randn(2, 3), randn(3, 4)
    check(lariat.einsum("ij,jk->ik", a, b), a:matmul(b):totable())
    check(lariat.einsum("ij,jk", { a, b }), a:matmul(b):totable())
    check(lariat.einsum("ij->ji", a), a:t():totable())
    check(lariat.einsum("ij->", a), a:sum():item())
    check(lariat.einsum("ij,ij->i", a, a), (a * a):sum(2):totable())
    local s = randn(3, 3, 2)
    check(lariat.einsum("iij->j", s), (s[{ 1, 1 }] + s[{ 2, 2 }] + s[{ 3, 3 }]):totable())
    check(lariat.einsum("iij->ij", s):sum(1), lariat.einsum("iij->j", s):totable())
    local p, q = randn(4, 2, 3), randn(3, 5)
    check(lariat.einsum("...ij,jk->...ik", p, q), p:matmul(q):totable())
    check(lariat.einsum("...ij,...j->...i", p, p:select(2, 1)),
      p:matmul(p:select(2, 1):unsqueeze(-1)):squeeze(-1):totable())
    local i = lariat.tensor({ 1 << 60, 3 }, { dtype = "int64" })
    assert.equal((1 << 60) + 9,
      lariat.einsum("i,i->", i, lariat.tensor({ 1, 3 }, { dtype = "int64" })):item())
  end)

  it("has derivatives", function()
    lariat.check_gradient(function(x)
      return lariat.einsum("bij,bjk,kl->bil", x[1], x[2], x[3])
    end, { lariat.randn(2, 2, 3), lariat.randn(2, 3, 2), lariat.randn(2, 2) }, { order = 2 })
  end)

  it("is refused where notation and shapes disagree, at the caller's line", function()
    local a = lariat.ones(2, 3)
    fails("derivative_spec.*'i' stands for 2 and 3", function()
      lariat.einsum("ij,ij", a, a:t())
    end)
    fails("names 3 dimensions of a tensor that has 2", lariat.einsum, "ijk", a)
    fails("written for 2 tensors, not 1", lariat.einsum, "ij,jk", a)
    fails("'z' of the output is in no input", lariat.einsum, "ij->z", a)
    fails("occurs twice", lariat.einsum, "ij->ii", a)
    fails("must be letters", lariat.einsum, "i1", a)
    fails("operand 1 is a number", lariat.einsum, "i", 1)
  end)
end)
