-- Losses of every epoch beside PyTorch's, from the same weights on the same batches.
-- Figures and command: spec/fixtures/torch_curves.py.
local lariat = require "lariat"

local nn, P, optim = lariat.nn, lariat.penalty, lariat.optim
local expected = dofile "spec/fixtures/torch_curves.lua"

local models = {
  mlp = function()
    return nn.sequential {
      nn.linear(64, 48), nn.relu(), nn.linear(48, 32), nn.tanh(), nn.linear(32, 10),
    }
  end,
  convnet = function()
    return nn.sequential {
      nn.conv2d(1, 8, 3, { padding = 1 }), nn.relu(), nn.conv2d(8, 12, 3), nn.relu(),
      nn.max_pool2d(2), nn.flatten(), nn.linear(108, 10),
    }
  end,
}
local rules = {
  sgd = function()
    return { optimizer = optim.sgd { lr = 0.05, momentum = 0.9 }, penalty = P.l2(1e-3) }
  end,
  adam = function() return { optimizer = optim.adam { lr = 2e-3 } } end,
}

-- The weights that the figures start from.
local function start(net)
  local j = 1
  for _, p in net:parameters() do
    local values, flat = {}, p:view(-1)
    local bound = 1 / math.sqrt(p.numel / p.shape[1])
    for k = j, j + p.numel - 1 do
      values[#values + 1] = #p.shape > 1 and math.sin(k * k % 1009) * bound or 0
    end
    lariat.no_grad(function() flat:copy_(lariat.tensor(values)) end)
    j = j + p.numel
  end
end

describe("losses of five epochs are PyTorch's:", function()
  for model, make in pairs(models) do
    for rule, options in pairs(rules) do
      it(model .. ", " .. rule, function()
        local d, o, net = lariat.data.digits(), options(), make()
        local x = d.x:div(16)
        if model == "convnet" then x = x:view(-1, 1, 8, 8) end
        start(net)
        o.loss, o.batch_size, o.epochs, o.shuffle = "cross_entropy", 32, 5, false
        local history = lariat.fit(net, { x = x, y = d.y }, o)
        for epoch, loss in ipairs(expected[model .. "_" .. rule]) do
          local off = math.abs(history[epoch].loss / loss - 1)
          assert(off < 1e-3, ("epoch %d: %g is off by %.2g"):format(epoch, loss, off))
        end
      end)
    end
  end
end)
