-- Normalisations with a gain and a bias against the same written in ops: values, first and
-- second derivatives, in every layout that the kernels tell apart; and the same bits for any
-- number of threads.
local lariat = require "lariat"
local near = require "spec.support.near"
local nn = lariat.nn

-- A layer, its arguments, and the shape of its input.
local cases = {
  { "batch norm of rows", nn.batch_norm, { 5 }, { 7, 5 } },
  { "batch norm of many columns", nn.batch_norm, { 700 }, { 1100, 700 } },
  { "batch norm of short runs", nn.batch_norm, { 90 }, { 37, 90, 7 } },
  { "batch norm of planes", nn.batch_norm, { 20 }, { 3, 20, 5, 7 } },
  { "batch norm of few large planes", nn.batch_norm, { 2 }, { 20, 2, 60, 70 } },
  { "layer norm of short rows", nn.layer_norm, { 3 }, { 50, 3 } },
  { "layer norm of many rows", nn.layer_norm, { 301 }, { 1700, 301 } },
  { "layer norm of two dimensions", nn.layer_norm, { { 6, 11 } }, { 4, 3, 6, 11 } },
  { "group norm of rows", nn.group_norm, { 2, 40 }, { 30, 40 } },
  { "group norm of short planes", nn.group_norm, { 3, 6 }, { 5, 6, 3, 3 } },
  { "group norm of planes", nn.group_norm, { 2, 8 }, { 40, 8, 9, 13 } },
}

local function f64(...) return lariat.randn({ ... }, { dtype = "float64" }) end

-- The layer by means and variances.
local function written(case, x, w, b)
  local make, args, shape = case[2], case[3], case[4]
  local outer, channels = shape[1], shape[2]
  if make == nn.batch_norm then
    local v = x:view(outer, channels, -1)
    local d = v - v:mean({ 1, 3 }, true)
    local y = d / ((d * d):mean({ 1, 3 }, true) + 1e-5):sqrt()
    return (y * w:view(1, -1, 1) + b:view(1, -1, 1)):view(table.unpack(shape))
  end
  local rows = make == nn.layer_norm and x.numel // w.numel or outer * args[1]
  local v = x:view(rows, -1)
  local d = v - v:mean(2, true)
  local y = d / ((d * d):mean(2, true) + 1e-5):sqrt()
  if make == nn.layer_norm then
    return (y:view(-1, w.numel) * w:view(1, -1) + b:view(1, -1)):view(table.unpack(shape))
  end
  y = y:view(outer, channels, -1)
  return (y * w:view(1, -1, 1) + b:view(1, -1, 1)):view(table.unpack(shape))
end

local function layer_of(case, dtype)
  local layer = case[2](table.unpack(case[3])):to(dtype)
  lariat.no_grad(function()
    layer.weight:copy_(lariat.randn(layer.weight.shape) * 0.3 + 1)
    layer.bias:copy_(lariat.randn(layer.bias.shape))
  end)
  return layer
end

local function same(a, b, what)
  near.check(((a - b):abs():max() / (b:abs():max() + 1e-3)):item(), 0,
    { rel = 0, abs = 1e-11, what = what })
end

for _, case in ipairs(cases) do
  describe("a " .. case[1], function()
    local layer, x, g
    before_each(function()
      lariat.seed(3)
      layer = layer_of(case, "float64")
      x = (f64(table.unpack(case[4])) * 2 + 5):requires_grad_(true)
      g = f64(table.unpack(case[4]))
    end)

    it("is what means and variances say", function()
      local w, b = layer.weight, layer.bias
      local y, z = layer(x), written(case, x, w, b)
      same(y, z, "value")
      local fast = lariat.grad((y * g):sum(), { x, w, b })
      local slow = lariat.grad((z * g):sum(), { x, w, b })
      for k, name in ipairs { "input", "gain", "bias" } do
        same(fast[k], slow[k], "slope of the " .. name)
      end
    end)

    it("has second derivatives", function()
      local w, b = layer.weight, layer.bias
      local function second(y)
        local first = lariat.grad((y:square() * g):sum(), { x, w, b }, { create_graph = true })
        local sum = first[1]:square():sum() + first[2]:square():sum() + first[3]:square():sum()
        return lariat.grad(sum, { x, w, b })
      end
      local ours, theirs = second(layer(x)), second(written(case, x, w, b))
      for k, name in ipairs { "input", "gain", "bias" } do
        same(ours[k], theirs[k], "second slope of the " .. name)
      end
    end)

    it("gives the same bits for any number of threads", function()
      local threads = lariat.threads()
      for _, dtype in ipairs { "float32", "float64" } do
        local other, input = layer:to(dtype), x:detach():to(dtype):requires_grad_(true)
        local seen = {}
        for n = 1, 3 do
          lariat.threads(n)
          local y = other(input)
          local back = lariat.grad((y * g:to(dtype)):sum(),
            { input, other.weight, other.bias })
          seen[n] = { y, back[1], back[2], back[3] }
        end
        lariat.threads(threads)
        for k = 1, 4 do
          for n = 2, 3 do
            assert.equal(0, (seen[n][k] - seen[1][k]):abs():max():item())
          end
        end
      end
    end)
  end)
end
