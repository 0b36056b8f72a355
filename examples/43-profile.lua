-- Where the time of a training step goes: the kernels of its plan.

local lariat = require "lariat"
local nn = lariat.nn

lariat.seed(1)
local x = lariat.randn(2048, 64)
local y = (x[{ {}, { 1, 1 } }] * x[{ {}, { 2, 2 } }]):sin()

-- A loss in Lua: traced like anything built in, it costs no Lua after the first steps.
local function robust(prediction, target)
  return ((prediction - target):square() + 1):log():mean()
end

local net = nn.sequential {
  nn.linear(64, 128), nn.tanh(), nn.dropout(0.1), nn.linear(128, 1),
}
local history = lariat.fit(net, { x = x, y = y }, {
  loss = robust, optimizer = "adam", epochs = 20, batch_size = 128, profile = true,
})
print(history)
print("steps ran by: " .. history.plan)
history:profile()

-- The same for a function of one's own.
local energy = lariat.compile(function(a, b) return ((a - b):abs() + 1):log():sum() end)
local a, b = lariat.randn(100000), lariat.randn(100000)
for _ = 1, 3 do energy(a, b) end
energy:profile() -- starts the measurement
for _ = 1, 100 do energy(a, b) end
energy:profile()
