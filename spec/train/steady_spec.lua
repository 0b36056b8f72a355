-- Once its plans have run a few times, a run of lariat.fit asks for no memory: not for a step,
-- not for the first of an epoch, not for validation.
local lariat = require "lariat"

local core, nn, optim, P = lariat.core, lariat.nn, lariat.optim, lariat.penalty

local models = {
  mlp = function() return nn.sequential { nn.linear(6, 8), nn.relu(), nn.linear(8, 2) } end,
  dropout = function()
    return nn.sequential { nn.linear(6, 8), nn.relu(), nn.dropout(0.3), nn.linear(8, 2) }
  end,
  convnet = function()
    return nn.sequential {
      nn.conv2d(1, 4, 3), nn.relu(), nn.max_pool2d(2), nn.flatten(), nn.linear(36, 2),
    }
  end,
}

local function rows(model, n)
  local x = model == "convnet" and lariat.randn(n, 1, 8, 8) or lariat.randn(n, 6)
  return { x = x, y = lariat.randn(n, 2) }
end

-- Allocations between two steps, from the end of `settled` epochs on.
local function expect_none(model, options, settled)
  local counts, per_epoch = {}, nil
  lariat.seed(1)
  options.loss, options.epochs, options.batch_size = "mse", settled + 3, 16
  options.validation = rows(model, 20)
  options.on_step = function(s)
    counts[s.step], per_epoch = core.mem_count(), s.step // s.epoch
  end
  local h = lariat.fit(models[model](), rows(model, 70), options)
  assert.equal("plan", h.plan)
  local first = settled * per_epoch + 1
  assert.is_true(#counts > first)
  for k = first, #counts do
    assert.equal(0, counts[k] - counts[k - 1], ("step %d of %d"):format(k, #counts))
  end
end

describe("a run that goes on allocates nothing:", function()
  for _, model in ipairs { "mlp", "dropout", "convnet" } do
    it(model, function()
      expect_none(model, { optimizer = "sgd" }, 8)
      expect_none(model, { optimizer = "adam", penalty = P.l1(0.01) + P.l2(0.1) }, 8)
    end)
  end

  for _, rule in ipairs(optim.rules()) do
    it(rule.name, function()
      expect_none("mlp", { optimizer = rule.name }, 4)
    end)
  end
end)
