--- Early stopping: watches a value of each epoch and keeps the best weights.
-- @module lariat.train.early_stop

local core = require "lariat.core"
local metric = require "lariat.metric"
local options = require "lariat.options"
local fail = require "lariat.train.fail"

local function snapshot(model)
  local copy = {}
  for name, p in model:parameters() do copy[name] = p:detach():clone() end
  for name, b in model:buffers() do copy[name] = b:detach():clone() end
  return copy
end

local function restore(model, copy)
  core.no_grad(function()
    for name, p in model:parameters() do p:copy_(copy[name]) end
    for name, b in model:buffers() do b:copy_(copy[name]) end
  end)
end

local Stopper = {}
Stopper.__index = Stopper

local function check(given)
  if type(given) ~= "table" then
    fail("early_stop must be {monitor=, patience=, ...}, a patience or true, not a %s",
      type(given))
  end
  options.check("early_stop", given,
    { "monitor", "patience", "min_delta", "mode", "restore_best" }, 0)
  if given.monitor ~= nil and type(given.monitor) ~= "string" then
    fail("early_stop.monitor must be a name such as \"val_loss\", not a %s",
      type(given.monitor))
  end
  if given.mode ~= nil and given.mode ~= "min" and given.mode ~= "max" then
    fail("early_stop.mode must be \"min\" or \"max\", not %s", tostring(given.mode))
  end
end

function Stopper.new(given)
  if given == true then given = {} end
  if type(given) == "number" then given = { patience = given } end
  check(given)
  local monitor = given.monitor or "val_loss"
  local max = given.mode == "max" or
    given.mode == nil and metric.larger_is_better[monitor:gsub("^val_", "")]
  return setmetatable({
    monitor = monitor, sign = max and -1 or 1, best = math.huge, wait = 0,
    patience = options.number("early_stop", given, "patience", 5, 0),
    delta = options.number("early_stop", given, "min_delta", 0, 0),
    restore = given.restore_best ~= false,
  }, Stopper)
end

-- True when it is time to stop.
function Stopper:look(record, model)
  local v = record[self.monitor]
  if type(v) ~= "number" then
    local there = {}
    for k, x in pairs(record) do if type(x) == "number" then there[#there + 1] = k end end
    table.sort(there)
    fail("early_stop: nothing called '%s' to monitor; there are %s", self.monitor,
      table.concat(there, ", "))
  end
  if self.sign * v < self.best - self.delta then
    self.best, self.wait, self.epoch = self.sign * v, 0, record.epoch
    if self.restore then self.weights = snapshot(model) end
    return false
  end
  self.wait = self.wait + 1
  return self.wait >= self.patience
end

-- What a run needs to go on watching where it left off, and back.
function Stopper:state()
  return { best = self.best, wait = self.wait, epoch = self.epoch, weights = self.weights }
end

function Stopper:load_state(saved)
  self.best, self.wait, self.epoch, self.weights =
    saved.best, saved.wait, saved.epoch, saved.weights
end

-- Puts the best weights back, if they were kept; returns their epoch.
function Stopper:finish(model)
  if self.weights then restore(model, self.weights) end
  return self.weights and self.epoch
end

return Stopper
