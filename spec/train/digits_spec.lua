-- What lariat is for: exact zeros in a network at next to no cost in accuracy.
local lariat = require "lariat"
local nn, P = lariat.nn, lariat.penalty

describe("on the digits", function()
  local train, test = lariat.data.split(lariat.data.digits(), { 0.7, 0.3 },
    { seed = 1, stratify = true })
  train, test = lariat.data.standardize(train, test)

  -- Test accuracy in per cent, and the share of the first layer's weights that are zero.
  local function run(penalty)
    lariat.seed(1)
    local net = nn.sequential { nn.linear(64, 64), nn.relu(), nn.linear(64, 10) }
    lariat.fit(net, train, {
      loss = "cross_entropy", penalty = penalty, optimizer = lariat.optim.adam { lr = 3e-3 },
      epochs = 40, batch_size = 32, seed = 1, progress = false,
    })
    local w = net:parameter "1.weight"
    return 100 * lariat.metric.accuracy(net:predict(test.x), test.y),
      100 * w:eq(0):count_nonzero():item() / w.numel
  end

  local plain, none = run(nil)

  it("an unpenalised network has no zeros", function() assert.equal(0, none) end)

  for name, penalty in pairs {
    l1 = P.l1(2e-3),
    ["group lasso"] = P.group_lasso { lambda = 8e-4, by = "output" }:on "1.weight"
      + P.l1(1.5e-3),
  } do
    it(name .. " zeroes 60 % of the first layer for less than a point", function()
      local accuracy, zeros = run(penalty)
      assert.is_true(zeros >= 60, zeros .. " % zeros")
      assert.is_true(accuracy > plain - 1, accuracy .. " after " .. plain)
    end)
  end

  it("the subgradient gives none", function()
    local _, zeros = run(P.l1 { lambda = 2e-3, mode = "subgradient" })
    assert.equal(0, zeros)
  end)
end)
