-- Convolutional models: shapes in print, starts, sentences, and penalties on kernels.
local lariat = require "lariat"
local near = require "spec.support.near"
local nn, P = lariat.nn, lariat.penalty

local function convnet()
  return nn.sequential {
    nn.conv2d(1, 4, 3), nn.batch_norm(4), nn.relu(), nn.spatial_dropout(0.2),
    nn.max_pool2d(2), nn.conv2d(4, 6, 3, { padding = "same" }), nn.relu(),
    nn.global_avg_pool(), nn.linear(6, 3),
  }
end

describe("a convolutional model", function()
  it("prints the shapes of its outputs, more of them when it knows a sample's", function()
    local net = convnet()
    local text = tostring(net)
    assert.is_truthy(text:find "conv2d%(1, 4, 3%) +%(n, 4, %?, %?%) +40")
    assert.is_truthy(text:find "global_avg_pool +%(n, 6%)")
    text = net:describe { 1, 8, 11 }
    assert.is_truthy(text:find "conv2d%(1, 4, 3%) +%(n, 4, 6, 9%)")
    assert.is_truthy(text:find "max_pool2d%(2%) +%(n, 4, 3, 4%)")
    assert.is_truthy(text:find 'padding = "same"}%) +%(n, 6, 3, 4%)')
    assert.has_error(function() net:describe(3) end,
      "describe: the sizes of a sample are a list, not a number")
  end)

  it("knows one size where the other is unknown", function()
    local layer = nn.conv2d(2, 3, { 3, 2 }, { stride = { 2, 1 }, padding = { 1, 0 } })
    assert.same({ -1, 3, 4, -1 }, layer:output_shape { -1, 2, 8, -1 })
    assert.same({ -1, 3, -1, 6 }, layer:output_shape { -1, 2, -1, 7 })
    assert.same({ -1, 3, -1, -1 }, layer:output_shape())
  end)

  it("starts within one over the root of its fan in", function()
    lariat.seed(3)
    for fan, layer in pairs {
      [3 * 5 * 2] = nn.conv2d(6, 40, { 5, 2 }, { groups = 2 }), [4 * 7] = nn.conv1d(4, 60, 7),
      [10 * 3 * 3] = nn.conv_transpose2d(30, 10, 3),
    } do
      local most = math.max(layer.weight:abs():max():item(), layer.bias:abs():max():item())
      assert.is_true(most <= fan ^ -0.5 and most > 0.9 * fan ^ -0.5)
    end
    local same = nn.conv2d(2, 3, 2, { init = "ones", bias = false })
    assert.equal(24, same.weight:sum():item())
  end)

  it("draws and averages by channel", function()
    lariat.seed(4)
    local x = nn.spatial_dropout(0.5)(lariat.ones(20, 6, 3, 4))
    local spread = x:view(120, 12):max(2) - x:view(120, 12):min(2)
    assert.equal(0, spread:abs():max():item())
    local y = nn.batch_norm(5)(3 * lariat.randn(7, 5, 4, 3) + 2)
    near.check(y:mean { 1, 3, 4 }, { 0, 0, 0, 0, 0 }, { abs = 1e-5 })
    near.check(y:square():mean { 1, 3, 4 }, { 1, 1, 1, 1, 1 }, { rel = 1e-4 })
  end)

  it("says what does not fit, and where", function()
    local function refused(pattern, fn)
      local ok, message = pcall(fn)
      assert.is_false(ok)
      assert.is_truthy(tostring(message):find(pattern), message)
    end
    refused("stride = 0", function() nn.conv2d(1, 2, 3, { stride = { 1, 0 } }) end)
    refused("stride is a number or a list of two", function()
      nn.conv2d(1, 2, 3, { stride = { 1, 2, 3 } })
    end)
    refused("groups = 2 do not divide 3 inputs and 4 outputs", function()
      nn.conv2d(3, 4, 3, { groups = 2 })
    end)
    refused("padding = 'sam' must be a number or one of same|valid", function()
      nn.conv2d(3, 4, 3, { padding = "sam" })
    end)
    refused("padding = 'same' goes with stride 1, not 2", function()
      nn.conv1d(3, 4, 3, { padding = "same", stride = 2 })
    end)
    refused("kernel is missing", function() nn.conv2d(3, 4) end)
    refused("output_padding = 2 is to be less", function()
      nn.conv_transpose2d(1, 1, 3, { stride = 2, output_padding = 2 })
    end)
    refused("padding = 2 is more than half", function() nn.max_pool2d(3, { padding = 2 }) end)
    local net = convnet()
    refused('conv2d %(layer "1"%): input %(2, 8, 11%) is not %(samples, channels', function()
      net(lariat.ones(2, 8, 11))
    end)
    refused('conv2d %(layer "1"%): input %(2, 3, 8, 9%) has 3 channels, the layer takes 1',
      function() net(lariat.ones(2, 3, 8, 9)) end)
    refused('conv2d %(layer "1"%): a kernel that spans %(3, 3%) is larger than the padded '
      .. 'input %(2, 9%)', function() net(lariat.ones(2, 1, 2, 9)) end)
    refused("global_avg_pool: input %(2, 3%)", function()
      nn.global_avg_pool()(lariat.ones(2, 3))
    end)
  end)
end)

-- ---- learning ----

-- Bars: class 1 lies, class 2 stands, somewhere in a noisy picture.
local function bars(n)
  local x, y = 0.3 * lariat.randn(n, 1, 8, 8), lariat.zeros(n, { dtype = "int64" })
  for k = 1, n do
    local at, class = lariat.randint(2, 7, { 1 }):item(), k % 2 + 1
    y[k] = class
    local bar = class == 1 and { k, 1, at, {} } or { k, 1, {}, at }
    x[bar] = x[bar] + 1
  end
  return { x = x, y = y }
end

describe("a penalty on kernels", function()
  local function fit(by, lambda)
    lariat.seed(1)
    local net = nn.sequential {
      nn.conv2d(1, 12, 3):named "first", nn.relu(), nn.conv2d(12, 8, 3):named "second",
      nn.relu(), nn.global_avg_pool(), nn.linear(8, 2),
    }
    local train, test = bars(200), bars(100)
    lariat.fit(net, train, {
      loss = "cross_entropy", epochs = 25, batch_size = 20, seed = 2, progress = false,
      optimizer = lariat.optim.adam { lr = 0.01 },
      penalty = P.group_lasso { lambda = lambda, by = by }:on "second.weight",
    })
    local right = lariat.metric.accuracy(net:predict(test.x), test.y)
    return net:parameter "second.weight", right
  end

  -- Which of the sums of magnitudes over these dimensions are exactly zero.
  local function gone(w, ...) return w:abs():sum({ ... }):eq(0):count_nonzero():item() end

  it("prunes channels, and the rest still tells the classes apart", function()
    local w, right = fit("channel", 0.003)
    local dropped = gone(w, 2, 3, 4)
    assert.is_true(dropped >= 2 and dropped < 8, dropped .. " of 8 channels are gone")
    assert.is_true(right > 0.95, "accuracy " .. right)
  end)

  it("prunes what a layer reads", function()
    local w, right = fit("input", 0.003)
    local dropped = gone(w, 1, 3, 4)
    assert.is_true(dropped >= 2 and dropped < 12, dropped .. " of 12 inputs are gone")
    assert.is_true(right > 0.95, "accuracy " .. right)
  end)

  it("of no strength leaves all of them", function()
    local w = fit("channel", 0)
    assert.equal(0, gone(w, 2, 3, 4) + gone(w, 1, 3, 4))
  end)
end)
