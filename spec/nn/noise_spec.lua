-- Layers that draw: what they keep on average, what they draw together, their limits.

local lariat = require "lariat"
local near = require "support.near"
local nn = lariat.nn

local N = 20000

local function ones() return lariat.ones(N, { dtype = "float64" }) end
local function share_of_zeros(y) return y:eq(0):double():mean():item() end

describe("noise:", function()
  before_each(function() lariat.seed(9) end)

  it("dropout drops a share p and scales the rest", function()
    local y = nn.dropout(0.3)(ones())
    near.check(share_of_zeros(y), 0.3, { abs = 0.015 })
    near.check(y:max(), 1 / 0.7)
    near.check(y:mean(), 1, { abs = 0.03 })
  end)

  it("dropout of nothing and of everything", function()
    local x = ones():requires_grad_()
    near.check(nn.dropout(0)(x), near.plain(x))
    local y = nn.dropout(1)(x)
    near.check(y:abs():max(), 0)
    y:sum():backward()
    near.check(x.grad:abs():max(), 0)
  end)

  it("the derivative sees the same mask", function()
    local x = ones():requires_grad_()
    local y = nn.dropout(0.5)(x)
    y:sum():backward()
    near.check(x.grad, near.plain(y))
  end)

  it("spatial_dropout drops whole channels", function()
    local y = nn.spatial_dropout(0.5)(lariat.ones(200, 5, 4))
    local sums = y:sum(3)
    near.check(sums:eq(0):logical_or(sums:eq(8)):all(), true)
    near.check(share_of_zeros(sums), 0.5, { abs = 0.06 })
  end)

  it("stochastic_depth drops whole samples", function()
    local y = nn.stochastic_depth(0.25)(lariat.ones(2000, 3, { dtype = "float64" }))
    near.check(share_of_zeros(y:sum(2)), 0.25, { abs = 0.04 })
    near.check(y:max(), 1 / 0.75)
    local net = nn.residual { nn.linear(3, 3), nn.stochastic_depth(1) }
    local x = lariat.randn(4, 3)
    near.check(net(x), near.plain(x))
  end)

  it("alpha_dropout keeps mean and variance of normal input", function()
    local x = lariat.randn(N, { dtype = "float64" })
    local y = nn.alpha_dropout(0.2)(x)
    near.check(y:mean(), 0, { abs = 0.03 })
    near.check(y:std(), 1, { abs = 0.03 })
    -- one value stands for all that is dropped: a low + b (Klambauer et al. 2017, sec. 3)
    local low, p = -1.7580993408473766, 0.2
    local a = 1 / math.sqrt((1 - p) * (1 + p * low ^ 2))
    local dropped = (y - (a * low - a * low * p)):abs():lt(1e-12)
    near.check(dropped:double():mean(), 0.2, { abs = 0.015 })
  end)

  it("gaussian_noise adds, gaussian_dropout multiplies", function()
    local y = nn.gaussian_noise(0.5)(ones())
    near.check(y:mean(), 1, { abs = 0.02 })
    near.check(y:std(), 0.5, { rel = 0.02 })
    y = nn.gaussian_dropout(0.2)(ones() * 2)
    near.check(y:mean(), 2, { abs = 0.03 })
    near.check(y:std(), 2 * math.sqrt(0.25), { rel = 0.02 })
  end)

  it("drop_connect drops weights, one draw a batch", function()
    local layer = nn.drop_connect(100, 50, { p = 0.5, bias = false, init = "ones" })
    local y = layer(lariat.eye(100))
    near.check(share_of_zeros(y), 0.5, { abs = 0.04 })
    near.check(y:max(), 2)
    local two = layer(lariat.ones(2, 100))
    near.check(two[1], near.plain(two[2]))
    near.check(layer:eval()(lariat.ones(1, 100)):max(), 100)
  end)

  it("draws follow the seed, and the stream \"dropout\" alone", function()
    local layer = nn.dropout(0.5)
    local x = lariat.ones(100)
    local a = near.plain(layer(x))
    lariat.seed(9)
    nn.linear(10, 10)
    lariat.randn(50)
    near.check(layer(x), a)
  end)
end)
