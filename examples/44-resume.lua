-- A run that dies is not lost: it goes on from its checkpoint and ends with the same bits.
local lariat = require "lariat"
local nn = lariat.nn

local train, test = lariat.data.split(lariat.data.digits(), { 0.8, 0.2 },
  { seed = 1, stratify = true })

local function network()
  lariat.seed(7)
  return nn.sequential { nn.linear(64, 32), nn.relu(), nn.dropout(0.2), nn.linear(32, 10) }
end

local function fit(net, more)
  local opts = { loss = "cross_entropy", penalty = lariat.penalty.l1(1e-4), epochs = 12,
    optimizer = lariat.optim.adam { lr = 3e-3 }, validation = test, metrics = { "accuracy" },
    schedule = { lr = lariat.schedule.cosine {} }, seed = 1 }
  for key, value in pairs(more or {}) do opts[key] = value end
  return lariat.fit(net, train, opts)
end

local whole = network()
print("in one go      ", fit(whole))

-- The same run with a checkpoint after every epoch; after the fifth something goes wrong.
local path = os.tmpname()
local ok, why = pcall(fit, network(), { checkpoint = path, on_epoch = function(state)
  if state.epoch == 6 then error("power cut", 0) end
end })
print("interrupted by ", not ok and why)

-- A new program would start here, with the same script and `resume`.
local resumed = network()
print("resumed        ", fit(resumed, { checkpoint = path, resume = path }))
os.remove(path)

local same = true
for name, p in whole:parameters() do
  same = same and p:eq(resumed:parameter(name)):all():item()
end
print("same bits:", same)
assert(same)
