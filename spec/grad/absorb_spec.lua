-- What plans let an op do while it writes, for the ops after it: the bits stay.
local lariat = require "lariat"
local planned = require "spec.support.planned"

local function names(f)
  local out = {}
  for _, kernel in ipairs(f:plans()[1]) do out[#out + 1] = kernel.name end
  return table.concat(out, ", ")
end

-- How often a plan has a kernel whose name has this in it.
local function count(f, what)
  return select(2, names(f):gsub(what:gsub("%p", "%%%0"), ""))
end

-- Integers make ties and zeros; NaN stays what it is.
local function inputs(shape, out, dtype, grad)
  return function(k)
    lariat.seed(k)
    local x = lariat.randint(-2, 2, shape):to(dtype)
    if k == 2 then x[{ 1, 1, 4, 4 }] = 0 / 0 end
    local w = lariat.randint(-2, 2, { out, shape[2], 3, 3 }):to(dtype)
    local b = lariat.randint(-2, 2, { out }):to(dtype)
    if grad == false then return { x, w, b } end
    return { x:requires_grad_(), w:requires_grad_(), b:requires_grad_() }
  end
end

describe("in a plan", function()
  it("a convolution clips what it writes, and windows what they give back", function()
    local from = inputs({ 2, 16, 9, 11 }, 16, "float32")
    for _, options in ipairs { {}, { stride = 2 }, { stride = 1 } } do
      local f = planned.check(function(x, w, b)
        local y = x:conv2d(w, b, options):relu()
        return y:max_pool2d(2, { stride = options.stride }):conv2d(w, b, { padding = 1 }):relu()
      end, from)
      assert.equal(1, count(f, "max_spread + relu_slope"), names(f))
      assert.equal(2, count(f, "conv + relu"), names(f))
    end
    -- what the convolution gave is asked for besides, and not for its sign
    local f = planned.check(function(x, w, b)
      local y = x:conv2d(w, b)
      return y:relu():sum(), y:square()
    end, from)
    assert.equal(0, count(f, "conv + relu"), names(f))
  end)

  it("a convolution takes the largest of each window while it writes", function()
    local nets = {
      function(y) return y:relu():max_pool2d(2) end,
      function(y) return y:max_pool2d(2):relu() end,
      function(y) return y:max_pool2d(2) end,
      function(y) return y:relu():max_pool2d(2):relu():square() end,
    }
    local shapes = { { 2, 16, 9, 11 }, { 3, 17, 26, 26 }, { 1, 20, 8, 40 }, { 2, 16, 5, 7 } }
    for k, shape in ipairs(shapes) do
      for i, net in ipairs(nets) do
        for _, dtype in ipairs { "float32", "float64" } do
          local function fn(x, w, b) return net(x:conv2d(w, b, { padding = k % 2 })) end
          local f = planned.check(fn, inputs(shape, 15 + 3 * i, dtype), 3)
          local clips = i == 1 or i == 4
          local one = clips and "conv + relu + max_pool" or "conv + max_pool"
          assert.equal(1, count(f, one), names(f))
        end
      end
    end
  end)

  it("and takes it alone where nothing goes back", function()
    for _, dtype in ipairs { "float32", "float64" } do
      local f = planned.check(function(x, w, b)
        return x:conv2d(w, b):relu():max_pool2d(2)
      end, inputs({ 2, 16, 9, 11 }, 19, dtype, false))
      assert.equal("conv + relu + max_pool", names(f))
    end
  end)

  it("but not where the outputs are asked for, or the windows are others", function()
    local others = {
      function(y) return y:max_pool2d(2), y end,
      function(y) return y:max_pool2d(2) + y:max_pool2d(2):square() end,
      function(y) return y:max_pool2d(2):sum() + y:square():sum() end,
      function(y) return y:max_pool2d(3) end,
      function(y) return y:max_pool2d(2, { stride = 1 }) end,
      function(y) return y:max_pool2d(2, { padding = 1 }) end,
    }
    for _, other in ipairs(others) do
      local f = planned.check(function(x, w, b) return other(x:conv2d(w, b)) end,
        inputs({ 2, 16, 9, 11 }, 16, "float32"), 3)
      assert.equal(0, count(f, "conv + max_pool"), names(f))
    end
    local few = planned.check(function(x, w, b) return x:conv2d(w, b):max_pool2d(2) end,
      inputs({ 2, 3, 9, 11 }, 16, "float32"), 3)
    assert.equal(0, count(few, "conv + max_pool"), names(few))
  end)

  it("a convolution's derivative by its input is masked while it is written", function()
    -- by squares, by squares of what is read, by planes with steps
    local ways = { { padding = 1 }, {}, { stride = 2 }, { stride = { 3, 1 }, padding = 2 } }
    for _, options in ipairs(ways) do
      for _, dtype in ipairs { "float32", "float64" } do
        local f = planned.check(function(x, w, b)
          return x:relu():conv2d(w, b, options):square()
        end, inputs({ 2, 16, 10, 18 }, 16, dtype), 3)
        assert.equal(1, count(f, "conv_input + relu_slope"), names(f))
      end
    end
    -- not by what is made after it
    local f = planned.check(function(x, w, b)
      local y = x:conv2d(w, b)
      return lariat.grad(y:square():sum(), { x }, { create_graph = true })[1]:relu() * x
    end, inputs({ 2, 16, 10, 18 }, 16, "float32"), 3)
    assert.equal(0, count(f, "conv_input + relu_slope"), names(f))
  end)
end)
