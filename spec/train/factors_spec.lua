-- Gradients of weights that a plan leaves to the update, row by row: the bits of a fit op by
-- op, whatever rule, penalty, clipping and hooks ask of them.
local lariat = require "lariat"
local nn, P, optim = lariat.nn, lariat.penalty, lariat.optim

local function make(dtype)
  lariat.seed(3)
  local net = nn.sequential {
    nn.linear(90, 130), nn.relu(), nn.dropout(0.3), nn.linear(130, 70), nn.tanh(),
    nn.linear(70, 3),
  }
  return net:to(dtype or "float32") or net
end

local function train(options, dynamic)
  local dtype = options.dtype or "float32"
  local net = make(dtype)
  local x, y = lariat.randn(200, 90, { dtype = dtype }), lariat.randint(1, 3, { 200 })
  local all = { loss = "cross_entropy", batch_size = 64, epochs = 3, seed = 5 }
  for key, value in pairs(options) do all[key] = value end
  all.dtype, all.make = nil, nil
  for key, value in pairs(options.make()) do all[key] = value end
  all.dynamic, all.progress = dynamic, false
  local history = lariat.fit(net, { x = x, y = y }, all)
  if not dynamic then assert.equal("plan", history.plan) end
  local bits = {}
  for name, p in net:parameters() do
    bits[#bits + 1] = name .. table.concat(p:reshape(-1):totable(), " ")
  end
  for _, record in ipairs(history) do
    bits[#bits + 1] = ("%.17g %.17g"):format(record.loss, record.objective)
  end
  return table.concat(bits, "\n")
end

local function same(options)
  assert.equal(train(options, true), train(options, false))
end

describe("gradients left to the update", function()
  for _, dtype in ipairs { "float32", "float64" } do
    it("with momentum and l2 in " .. dtype, function()
      same { dtype = dtype, make = function()
        return { optimizer = optim.sgd { lr = 0.1, momentum = 0.9 }, penalty = P.l2(1e-3) }
      end }
    end)
  end
  for name, settings in pairs {
    ["adam and l1"] = function() return { optimizer = optim.adam {}, penalty = P.l1(1e-3) } end,
    ["lamb"] = function() return { optimizer = optim.lamb { lr = 0.01 } } end,
    ["averages"] = function() return { optimizer = optim.sgd { lr = 0.1, ema = 0.9 } } end,
    ["clipping by value"] = function()
      return { optimizer = optim.sgd { lr = 0.1, clip_value = 0.001 } }
    end,
    ["clipping by norm"] = function()
      return { optimizer = optim.sgd { lr = 0.1, clip_norm = 0.1 } }
    end,
    ["groups by input"] = function()
      return {
        optimizer = optim.sgd { lr = 0.1 },
        penalty = P.group_lasso { lambda = 0.01, by = "input" }:on("1.*"),
      }
    end,
    ["groups by output"] = function()
      return {
        optimizer = optim.adam {},
        penalty = P.group_lasso { lambda = 0.01, by = "output" }:on("4.*"),
      }
    end,
    ["a penalty that is settled before"] = function()
      return { optimizer = optim.sgd { lr = 0.1 }, penalty = P.orthogonal(0.001) }
    end,
    ["several batches to a step"] = function()
      return { optimizer = optim.sgd { lr = 0.1 }, accumulate = 2 }
    end,
    ["sharpness-aware steps"] = function()
      return { optimizer = optim.sgd { lr = 0.1, sam = 0.05 } }
    end,
  } do
    it("with " .. name, function() same { make = settings } end)
  end

  -- Functions of the user's: what each asks for, and how many times it finds 6 gradients.
  local looks = {
    on_step = { 9, function(look) return look end },
    on_epoch = { 3, function(look) return look end },
    metrics = { 3, function(look)
      return { looks = function() look() return 0 end }
    end },
    schedule = { 8, function(look)
      return { lr = function(_, base) look() return base end }
    end },
  }
  for option, how in pairs(looks) do
    it("are there where " .. option .. " looks at them", function()
      local seen = {}
      for _, dynamic in ipairs { false, true } do
        local net, sums = make(), {}
        lariat.fit(net, { x = lariat.randn(192, 90), y = lariat.randint(1, 3, { 192 }) }, {
          loss = "cross_entropy", batch_size = 64, epochs = 3, progress = false, seed = 5,
          dynamic = dynamic,
          [option] = how[2](function()
            for _, p in net:parameters() do
              sums[#sums + 1] = p.grad and ("%.17g"):format(p.grad:square():sum():item())
            end
          end),
        })
        assert.equal(6 * how[1], #sums)
        seen[#seen + 1] = table.concat(sums, " ")
      end
      assert.equal(seen[1], seen[2])
    end)
  end
end)
