-- What each regulariser does to a network that overfits: handwritten digits, few samples.
--
-- 300 of the 1797 images train a 64-64-10 network, the others test it. Every row is an
-- average over seeds, each with its own split and initial weights; +- is the standard
-- deviation between seeds. "zeros" is the share of first-layer weights that are exactly
-- zero, "dropped" the number of the 64 pixels that the network no longer looks at.
--
-- Usage: lariat examples/02-digits.lua [seeds]

local lariat = require "lariat"
local nn, P = lariat.nn, lariat.penalty

local SEEDS = tonumber(arg and arg[1]) or 5
local HIDDEN, TRAIN, EPOCHS = 64, 300, 60

local digits = lariat.data.digits()

local function network(dropout)
  local layers = { nn.linear(64, HIDDEN), nn.relu() }
  if dropout then layers[#layers + 1] = nn.dropout(dropout) end
  layers[#layers + 1] = nn.linear(HIDDEN, 10)
  return nn.sequential(layers)
end

local rows = {
  { "none" },
  { "L2", penalty = P.l2(0.01) },
  { "L1", penalty = P.l1(0.001) },
  { "elastic net", penalty = P.elastic_net { lambda = 0.002, l1_ratio = 0.5 } },
  {
    "group lasso by input",
    penalty = P.group_lasso { lambda = 0.002, by = "input" }:on "1.weight",
  },
  { "max-norm", penalty = P.max_norm(1) },
  { "dropout", dropout = 0.5 },
  { "label smoothing", loss = lariat.loss.cross_entropy { label_smoothing = 0.1 } },
  { "early stopping", early_stop = { monitor = "val_loss", patience = 5 } },
  { "L1 + dropout", penalty = P.l1(0.001), dropout = 0.5 },
}

-- One fit: accuracies, share of zeros, inputs dropped, seconds.
local function run(row, seed)
  lariat.seed(seed)
  local train, test = lariat.data.split(digits, { TRAIN, 1797 - TRAIN },
    { seed = seed, stratify = true })
  train, test = lariat.data.standardize(train, test)
  local net = network(row.dropout)
  local start = os.clock()
  lariat.fit(net, train, {
    loss = row.loss or "cross_entropy", penalty = row.penalty,
    optimizer = lariat.optim.adam { lr = 3e-3 }, epochs = EPOCHS, batch_size = 32, seed = seed,
    validation = row.early_stop and 0.2 or nil, early_stop = row.early_stop, progress = false,
  })
  local seconds = os.clock() - start
  local w = net:parameter "1.weight"
  return {
    train = 100 * lariat.metric.accuracy(net:predict(train.x), train.y),
    test = 100 * lariat.metric.accuracy(net:predict(test.x), test.y),
    zeros = 100 * w:eq(0):count_nonzero():item() / w.numel,
    dropped = w:abs():sum(1):eq(0):count_nonzero():item(),
    seconds = seconds,
  }
end

local function mean_and_spread(results, key)
  local v = {}
  for i, r in ipairs(results) do v[i] = r[key] end
  local t = lariat.tensor(v, { dtype = "float64" })
  return t:mean():item(), #v > 1 and t:std():item() or 0
end

print(("%d training images of 1797, %d epochs, %d seeds\n"):format(TRAIN, EPOCHS, SEEDS))
print(("%-21s %13s  %13s  %6s  %7s  %8s  %7s"):format(
  "", "train %", "test %", "gap", "zeros %", "dropped", "seconds"))
for _, row in ipairs(rows) do
  local results = {}
  for seed = 1, SEEDS do results[seed] = run(row, seed) end
  local train, train_sd = mean_and_spread(results, "train")
  local test, test_sd = mean_and_spread(results, "test")
  print(("%-21s %6.1f +- %3.1f  %6.1f +- %3.1f  %6.1f  %7.1f  %8.1f  %7.2f"):format(
    row[1], train, train_sd, test, test_sd, train - test,
    (mean_and_spread(results, "zeros")), (mean_and_spread(results, "dropped")),
    (mean_and_spread(results, "seconds"))))
end
