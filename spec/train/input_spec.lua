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
