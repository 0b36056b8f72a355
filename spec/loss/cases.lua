--- What the specs of losses try: for each a list of { makes prediction and target of n rows,
-- options }.

local lariat = require "lariat"

local F64 = { dtype = "float64" }

-- Each gives a prediction and a target of n rows.
local function real(n) return lariat.randn(n, 3, F64), lariat.randn(n, 3, F64) end
local function classes(n) return lariat.randn(n, 3, F64) * 2, lariat.randint(1, 3, { n }) end
local function shares(n)
  return lariat.randn(n, 3, F64), lariat.randn(n, 3, F64):softmax(2)
end
local function logs(n)
  return lariat.randn(n, 3, F64):log_softmax(2), lariat.randn(n, 3, F64):softmax(2)
end
local function log_labels(n)
  return lariat.randn(n, 3, F64):log_softmax(2), lariat.randint(1, 3, { n })
end
local function binary(n)
  return lariat.randn(n, 3, F64) * 2, lariat.randint(0, 1, { n, 3 }):double()
end
local function soft(n) return lariat.randn(n, 3, F64) * 2, lariat.rand(n, 3, F64) end
local function signs(n)
  return lariat.randn(n, 3, F64), lariat.randint(0, 1, { n, 3 }):double() * 2 - 1
end
local function counts(n)
  return lariat.randn(n, 3, F64), lariat.randint(0, 5, { n, 3 }):double()
end
local function rates(n)
  return lariat.rand(n, 3, F64) + 0.1, lariat.randint(0, 5, { n, 3 }):double()
end

local CW = lariat.tensor({ 0.5, 2, 1.25 }, F64)

local cases = {
  squared = { { real } },
  mse = { { real } },
  mae = { { real } },
  huber = { { real }, { real, { delta = 0.3 } } },
  quantile = { { real }, { real, { tau = 0.9 } } },
  cross_entropy = {
    { classes }, { classes, { label_smoothing = 0.1 } }, { classes, { class_weight = CW } },
    { classes, { class_weight = CW, label_smoothing = 0.3 } }, { shares },
    { shares, { label_smoothing = 0.1 } },
  },
  nll = { { log_labels }, { log_labels, { class_weight = CW } } },
  bce_with_logits = { { binary }, { soft }, { binary, { pos_weight = CW } } },
  hinge = { { signs } },
  multi_margin = { { classes }, { classes, { p = 2, margin = 0.5 } } },
  focal = {
    { classes }, { classes, { gamma = 0.5, alpha = 0.3 } }, { binary },
    { binary, { gamma = 1, alpha = 0.25 } }, { soft, { gamma = 0 } },
  },
  kl_div = { { logs }, { function(n)
    local p, y = logs(n)
    return p, y:log()
  end, { log_target = true } } },
  poisson = {
    { counts }, { counts, { full = true } }, { rates, { log_input = false } },
  },
}

return { of = cases, make = {
  real = real,
  classes = classes,
  shares = shares,
  logs = logs,
  log_labels = log_labels,
  binary = binary,
  soft = soft,
  signs = signs,
  counts = counts,
  rates = rates, class_weight = CW,
} }
