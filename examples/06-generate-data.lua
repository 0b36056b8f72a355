-- Data made as you go: a Lua generator gives every epoch fresh batches, so that a network
-- never sees a point twice and cannot overfit; beside it the same network on a fixed set.

local lariat = require "lariat"
local nn = lariat.nn

local STEPS, BATCH = 100, 64

-- Two moons: half circles that interlock, with noise; labels 1 and 2.
local function moons(n)
  local t = math.pi * lariat.rand(n)
  local which = lariat.randint(0, 1, { n })
  local upper = which:eq(0)
  local x = lariat.where(upper, t:cos(), 1 - t:cos())
  local y = lariat.where(upper, t:sin(), 0.5 - t:sin())
  return lariat.stack({ x, y }, 2) + 0.25 * lariat.randn(n, 2), which + 1
end

-- One epoch: an iterator of batches.
local function generator()
  local made = 0
  return function()
    if made == STEPS then return nil end
    made = made + 1
    return moons(BATCH)
  end
end

lariat.seed(5)
local xt, yt = moons(5000)
local x40, y40 = moons(40)
for _, case in ipairs {
  { "40 points, again and again", { x = x40, y = y40 } }, { "fresh batches", generator },
} do
  lariat.seed(6)
  local net = nn.sequential {
    nn.linear(2, 64), nn.relu(), nn.linear(64, 64), nn.relu(), nn.linear(64, 2),
  }
  local h = lariat.fit(net, case[2], {
    loss = "cross_entropy", optimizer = lariat.optim.adam { lr = 1e-2 },
    epochs = type(case[2]) == "function" and 8 or 400, validation = { x = xt, y = yt },
    metrics = { "accuracy" }, progress = false,
  })
  print(("%-27s %5d steps: train accuracy %.3f, test accuracy %.3f, test loss %.3f"):format(
    case[1], h:last().step, h:last().accuracy, h:last().val_accuracy, h:last().val_loss))
end
