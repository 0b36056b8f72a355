-- The rules of recording: what is refused, what is kept, how deep a graph may be.
local lariat = require "lariat"
local near = require "spec.support.near"

local function same(want, t) assert.same(want, near.plain(t)) end
local function fails(pattern, fn)
  local ok, message = pcall(fn)
  assert.is_false(ok)
  assert.is_truthy(tostring(message):find(pattern), message)
end
local function leaf(t) return lariat.tensor(t, { dtype = "float64", requires_grad = true }) end

describe("recording", function()
  it("follows tensors that require a gradient, and no others", function()
    local w, x = leaf { 1, 2 }, lariat.tensor { 3, 4 }
    assert.is_true((w * x).requires_grad)
    assert.is_false((x * x).requires_grad)
    assert.is_false(w:gt(0).requires_grad)
    assert.is_false(w:argmax().requires_grad)
    assert.is_true(w.is_leaf)
    assert.is_false((w * 2).is_leaf)
    assert.is_false(w:detach().requires_grad)
    fails("set it on tensors that are not results", function()
      (w * 2).requires_grad = false
    end)
    fails("int64 tensor has no derivative", function()
      lariat.zeros(1, { dtype = "int64" }).requires_grad = true
    end)
  end)

  it("adds up in grad, which is the user's to change", function()
    local w = leaf { 1, 2 };
    (w * w):sum():backward();
    (w * 3):sum():backward()
    same({ 5, 7 }, w.grad)
    w.grad:zero_()
    same({ 0, 0 }, w.grad)
    w.grad = nil
    assert.is_nil(w.grad)
    fails("does not fit", function() w.grad = lariat.ones(3) end)
    fails("its own gradient", function() w.grad = w end)
  end)

  it("starts from a gradient where the value is not one number", function()
    local w = leaf { 1, 2 }
    fails("needs a gradient of that shape", function() (w * 2):backward() end);
    (w * 2):backward(lariat.tensor({ 1, 10 }, { dtype = "float64" }))
    same({ 2, 20 }, w.grad)
    fails("the gradient to start from has shape %(3%)", function()
      (w * 2):backward(lariat.ones(3))
    end)
    same({ 4, 6 }, lariat.grad(w * 2, { w },
      { gradient = lariat.tensor({ 2, 3 }, { dtype = "float64" }) })[1])
    fails("nothing was recorded", function() lariat.ones(1):sum():backward() end)
    fails("did you mean 'create_graph'", function()
      lariat.grad(w:sum(), { w }, { create_grap = true })
    end)
    fails("item 2 of the list is a number", function() lariat.grad(w:sum(), { w, 2 }) end)
  end)

  it("gives zeros where there is no path, and the same for one asked for twice", function()
    local w, u = leaf { 1, 2 }, leaf { 3 }
    local g = lariat.grad((w * w):sum(), { w, u, w })
    same({ 2, 4 }, g[1])
    same({ 0 }, g[2])
    same({ 2, 4 }, g[3])
  end)

  it("reaches inner values too", function()
    local w = leaf { 1, 2 }
    local h = w * w
    local y = (h * h):sum()
    local g = lariat.grad(y, { h, w })
    same({ 2, 8 }, g[1])
    same({ 4, 32 }, g[2])
  end)

  it("keeps dtypes apart: a gradient has the dtype of what it belongs to", function()
    local a = lariat.tensor({ 1, 2 }, { requires_grad = true })
    local b = leaf { 3, 4 };
    (a * b):sum():backward()
    assert.equal("float32", a.grad.dtype)
    assert.equal("float64", b.grad.dtype)
    local c = lariat.tensor({ 1 }, { requires_grad = true })
    c:double():exp():sum():backward()
    assert.equal("float32", c.grad.dtype)
  end)

  it("sums a gradient back over what was broadcast", function()
    local w, b, s = leaf { { 1 }, { 2 } }, leaf { 1, 2, 3 }, leaf(2);
    (w * b + s):sum():backward()
    same({ { 6 }, { 6 } }, w.grad)
    same({ 3, 3, 3 }, b.grad)
    assert.equal(6, s.grad:item())
  end)
end)

describe("a change in place", function()
  it("of a value that a derivative needs is found out", function()
    local w = leaf { 1, 2 }
    local x = lariat.tensor({ 3, 4 }, { dtype = "float64" })
    local y = (w * x):sum()
    x:add_(1)
    fails("the derivative of 'mul' needs was changed in place", function() y:backward() end)
    local e = w:exp()
    local z = e:sum()
    lariat.no_grad(function() e:zero_() end)
    fails("'exp'", function() z:backward() end)
  end)

  it("through a view is found out as well", function()
    local w = leaf { 1, 2 }
    local x = lariat.ones(2, 2, { dtype = "float64" })
    local y = (w * x[1]):sum()
    x[{ 1, 2 }] = 5
    fails("changed in place", function() y:backward() end)
  end)

  it("of a value that no derivative needs is fine", function()
    local w = leaf { 1, 2 }
    local x = lariat.ones(2, { dtype = "float64" })
    local y = (w + x):sum()
    x:zero_()
    y:backward()
    same({ 1, 1 }, w.grad)
  end)

  it("of a leaf is for no_grad, of a result for a clone", function()
    local w = leaf { 1, 2 }
    fails("inside lariat.no_grad", function() w:add_(1) end)
    fails("derivative recorded", function() (w * 2):add_(1) end)
    fails("would lose the derivative", function() lariat.zeros(2):add_(w) end)
    fails("would lose the derivative", function() lariat.zeros(2):copy_(w) end)
    lariat.no_grad(function() w:add_(1) end)
    same({ 2, 3 }, w:detach())
  end)
end)

describe("no_grad", function()
  it("nests, gives results and errors on as they are, and comes back", function()
    local w = leaf { 1 }
    local a, b = lariat.no_grad(function(x, y)
      assert.is_false(lariat.is_grad_enabled())
      local inner = lariat.enable_grad(function() return w * 2 end)
      assert.is_true(inner.requires_grad)
      assert.is_false(lariat.is_grad_enabled())
      return w * x, y
    end, 3, "y")
    assert.is_false(a.requires_grad)
    assert.equal("y", b)
    local thrown = {}
    local ok, caught = pcall(lariat.no_grad, function() error(thrown) end)
    assert.is_false(ok)
    assert.is_true(rawequal(thrown, caught))
    assert.is_true(lariat.is_grad_enabled())
  end)

  it("does not leak out of a coroutine that never ends", function()
    local co = coroutine.wrap(function()
      lariat.no_grad(function() return 1 end)
      coroutine.yield()
    end)
    co()
    assert.is_true(lariat.is_grad_enabled())
  end)
end)

describe("a graph of 100000 operations", function()
  local function chain(n)
    local w = leaf { 1 }
    local y = w
    for _ = 1, n do y = y * 1.00001 end
    return w, y
  end

  it("is let go of without running out of stack", function()
    collectgarbage()
    local before = lariat.core.mem_live()
    do
      local _, y = chain(100000)
      assert.is_true(y:item() > 2)
    end
    collectgarbage()
    collectgarbage()
    assert.is_true(math.abs(lariat.core.mem_live() - before) < 64)
  end)

  it("is differentiated, twice", function()
    local w, y = chain(100000)
    y = y * y
    local g = lariat.grad(y:sum(), { w }, { create_graph = true })[1]
    near.check(g, { 2 * 1.00001 ^ 200000 }, { rel = 1e-9, abs = 0, what = "first" })
    local h = lariat.grad(g:sum(), { w })[1]
    near.check(h, { 2 * 1.00001 ^ 200000 }, { rel = 1e-9, abs = 0, what = "second" })
  end)

  it("wide as well as deep: a value used many times", function()
    local w = leaf { 2 }
    local list = {}
    for k = 1, 2000 do list[k] = w * k end
    lariat.cat(list):sum():backward()
    same({ 2000 * 2001 / 2 }, w.grad)
  end)
end)
