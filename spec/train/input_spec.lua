-- What fit refuses, in a sentence that says what to do.
local lariat = require "lariat"
local nn, optim = lariat.nn, lariat.optim

local function data() return { x = lariat.randn(40, 3), y = lariat.randn(40, 1) } end

local function why(d, opts, model)
  opts.loss = opts.loss or "mse"
  opts.epochs = opts.epochs or 2
  local ok, message = pcall(lariat.fit, model or nn.linear(3, 1), d, opts)
  assert.is_false(ok, "no error")
  return tostring(message)
end

describe("fit refuses", function()
  it("data without targets, for a loss that compares with them", function()
    local d = data()
    assert.matches("fit: the loss mse compares predictions with targets; give y beside x",
      why({ x = d.x }, {}))
    assert.matches("give y beside x", why(function()
      local k = 0
      return function()
        k = k + 1
        return k < 3 and d.x or nil
      end
    end, {}))
    assert.matches("give y beside x", why(d, { validation = { x = d.x } }))
  end)

  it("validation data with values that are no numbers, or without rows", function()
    local v = data()
    v.x[{ 3, 2 }] = 0 / 0
    local function says(what) assert.matches(what, why(data(), { validation = v })) end
    says "validation%.x has nan in column 2 %(row 3%)"
    v = data()
    v.y[{ 4, 1 }] = -math.huge
    says "validation%.y has %-inf in column 1 %(row 4%)"
    v = { x = lariat.zeros(0, 3), y = lariat.zeros(0, 1) }
    says "validation%.x of shape %(0, 3%) has no rows"
  end)

  it("weights that are none, or all zero", function()
    local d = data()
    for bad, what in pairs {
      [-1] = "fit: weight %-1 in row 7 is not a number >= 0",
      [math.huge] = "fit: weight inf in row 7 is not a number >= 0",
    } do
      d.weight = lariat.ones(40)
      d.weight[7] = bad
      assert.matches(what, why(d, {}))
      assert.matches(what:gsub("weight", "validation%%.weight", 1),
        why(data(), { validation = d }))
    end
    d.weight = lariat.zeros(40)
    assert.matches("fit: weights are all zero", why(d, {}))
  end)

  it("labels in a column, saying how to make them a row", function()
    assert.matches("target %(32, 1%) differ in shape; .* one a row: target:squeeze%(%-1%)",
      why({ x = lariat.randn(40, 3), y = lariat.randint(1, 2, { 40, 1 }) },
        { loss = "cross_entropy" }, nn.linear(3, 2)))
  end)

  it("a loss that nothing can lower", function()
    for _, loss in ipairs {
      function(p, y) return (p - y):square():mean():detach() end,
      function() return lariat.tensor(1) end,
    } do
      assert.matches("fit: the loss depends on no parameter that is trained",
        why(data(), { loss = loss }))
    end
  end)

  it("an optimiser and a history of another model", function()
    local other = nn.linear(3, 1)
    local theirs = optim.sgd(other, { lr = 0.1 })
    assert.matches("of another model", why(data(), { optimizer = theirs }))
    local h = lariat.fit(other, data(), { loss = "mse", epochs = 1 })
    assert.matches("of another model", why(data(), { resume = h }))
    local net = nn.linear(3, 1)
    local some = optim.sgd({ net:parameter "weight" }, { lr = 0.1 }) -- of a part it is welcome
    local bias = net:parameter("bias"):item()
    lariat.fit(net, data(), { loss = "mse", epochs = 2, optimizer = some })
    assert.equal(bias, net:parameter("bias"):item())
  end)

  it("settings of the wrong type", function()
    local d = data()
    assert.matches("seed = 1.5 must be whole", why(d, { seed = 1.5 }))
    assert.matches("seed must be a number", why(d, { seed = "x" }))
    assert.matches("optimizer must be a name or what lariat.optim makes, .* not a number",
      why(d, { optimizer = 3 }))
    assert.matches("metrics must be a list .* not a string", why(d, { metrics = "accuracy" }))
    assert.matches("early_stop must be .* not a string", why(d, { early_stop = "loss" }))
    assert.matches("early_stop.monitor must be a name",
      why(d, { early_stop = { monitor = 3 } }))
    assert.matches('early_stop.mode must be "min" or "max", not most',
      why(d, { early_stop = { monitor = "loss", mode = "most" } }))
    assert.matches("checkpoint must be the name of a file .* not a number",
      why(d, { checkpoint = 3 }))
    assert.matches("checkpoint.path is empty", why(d, { checkpoint = "" }))
    assert.matches("checkpoint.every = 1.5 must be whole epochs",
      why(d, { checkpoint = { path = "x.ckpt", every = 1.5 } }))
  end)
end)

describe("fit takes", function()
  -- As rows that are not there, in batches of their own or not.
  it("batches whose weights are all zero for none", function()
    for _, batch_size in ipairs { 4, 8 } do
      local d, net = data(), nn.linear(3, 1)
      local few, other = { x = d.x[{ { 9, 40 } }], y = d.y[{ { 9, 40 } }] }, net:clone()
      d.weight = lariat.ones(40)
      d.weight[{ { 1, 8 } }] = 0
      local function fit(model, rows)
        return lariat.fit(model, rows, {
          loss = "mse", epochs = 3, batch_size = batch_size, shuffle = false, seed = 1,
          penalty = lariat.penalty.l2(function(s) return 0.1 * s.epoch end), validation = rows,
        })
      end
      local a, b = fit(net, d), fit(other, few)
      assert.equal(a[3].step, b[3].step)
      for k = 1, 3 do
        assert.is_true(math.abs(a[k].loss - b[k].loss) < 1e-6)
        assert.is_true(math.abs(a[k].val_loss - b[k].val_loss) < 1e-6)
      end
      local gap = net:parameter "weight" - other:parameter "weight"
      assert.is_true(gap:abs():max():item() < 1e-6)
    end
  end)

  it("validation whose first thousand rows weigh nothing", function()
    local v = { x = lariat.randn(1100, 3), y = lariat.randn(1100, 1) }
    v.weight = lariat.ones(1100)
    v.weight[{ { 1, 1024 } }] = 0
    local h = lariat.fit(nn.linear(3, 1), data(), { loss = "mse", epochs = 2, validation = v })
    assert.is_true(h[2].val_loss > 0 and h[2].val_loss < math.huge)
  end)
end)
