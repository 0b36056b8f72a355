-- Metrics against hand-made cases and brute force.
local lariat = require "lariat"
local M = lariat.metric

local function int(t) return lariat.tensor(t, { dtype = "int64" }) end

describe("metric", function()
  local scores = lariat.tensor { { 3, 1, 2 }, { 0, 5, 1 }, { 1, 2, 9 }, { 4, 5, 3 } }
  local labels = int { 1, 2, 1, 1 }

  it("accuracy and top_k", function()
    assert.near(0.5, M.accuracy(scores, labels), 1e-12)
    assert.near(0.75, M.top_k(scores, labels, { k = 2 }), 1e-12)
    assert.near(1, M.top_k(scores, labels, { k = 9 }), 1e-12)
    assert.near(0.75, M.accuracy(lariat.tensor { -1, 2, 3, 4 }, int { 0, 1, 0, 1 }), 1e-12)
    assert.near(0.75, M.accuracy(lariat.tensor { { -1 }, { 2 }, { 3 }, { 4 } },
      lariat.tensor { -1, 1, -1, 1 }), 1e-12)
  end)

  it("mae mse rmse r2", function()
    local p, t = lariat.tensor { 1, 2, 4 }, lariat.tensor { 1, 4, 1 }
    assert.near(5 / 3, M.mae(p, t), 1e-12)
    assert.near(13 / 3, M.mse(p, t), 1e-12)
    assert.near(math.sqrt(13 / 3), M.rmse(p, t), 1e-12)
    assert.near(1 - 13 / 6, M.r2(p, t), 1e-12)
    assert.near(5 / 3, M.mae(p, t:reshape(3, 1)), 1e-12)
  end)

  it("auc counts pairs, ties half", function()
    lariat.seed(9)
    local p, t = lariat.randint(1, 6, { 40 }):float(), lariat.randint(0, 1, { 40 })
    local s, l, won, pairs_ = p:totable(), t:totable(), 0, 0
    for i = 1, 40 do
      for j = 1, 40 do
        if l[i] == 1 and l[j] == 0 then
          pairs_ = pairs_ + 1
          won = won + (s[i] > s[j] and 1 or s[i] == s[j] and 0.5 or 0)
        end
      end
    end
    assert.near(won / pairs_, M.auc(p, t), 1e-12)
    local two = lariat.stack({ lariat.zeros(40), p }, 2)
    assert.near(won / pairs_, M.auc(two, t + 1), 1e-12)
  end)

  it("confusion and f1", function()
    assert.same({ { 1, 1, 1 }, { 0, 1, 0 }, { 0, 0, 0 } },
      M.confusion(scores, labels):totable())
    local f = { 2 / (2 + 2), 2 / (2 + 1), 0 }
    assert.near((f[1] + f[2] + f[3]) / 3, M.f1(scores, labels), 1e-12)
    assert.near(0.5, M.f1(scores, labels, { average = "micro" }), 1e-12)
    assert.near((3 * f[1] + f[2]) / 4, M.f1(scores, labels, { average = "weighted" }), 1e-12)
    assert.near(4 / 5, M.f1(lariat.tensor { -1, 2, 3, 4 }, int { 0, 1, 0, 1 }), 1e-12)
  end)

  it("refuses what does not fit", function()
    assert.has_error(function() M.accuracy(scores, int { 1, 2 }) end)
    local ok, why = pcall(M.mae, lariat.zeros(3), lariat.zeros(4))
    assert.is_false(ok)
    assert.matches("3 and 4", why)
  end)
end)
