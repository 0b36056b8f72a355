--- The state that hooks, schedules and lambda functions see.
-- @module lariat.train.state

local State = {}

local LIVE = { epoch = "epoch", step = "step", batch = "batch", loss = "batch_loss",
  steps_per_epoch = "batches" }

-- Steps in the whole run, nil when that cannot be known.
local function total_steps(self, fit)
  local per = fit and fit.batches or 0
  local limit = rawget(self, "max_steps")
  if per == 0 then return limit end
  return math.min(per * self.epochs, limit or math.huge)
end

function State:__index(key)
  local fit, record = rawget(self, "fit"), rawget(self, "record")
  if State[key] then return State[key] end
  if key == "lr" or key == "penalty" then return self.optimizer[key] end
  if key == "total_steps" then return total_steps(self, fit) end
  if record and record[key] ~= nil then return record[key] end
  return fit and LIVE[key] and fit[LIVE[key]]
end

-- `state.lr = ...` and `state.penalty = ...` are those of the optimiser: they act.
function State:__newindex(key, value)
  if key == "lr" or key == "penalty" then
    self.optimizer[key] = value
  else
    rawset(self, key, value)
  end
end

--- Ends the run after this step or epoch, with status "stopped".
-- @function state:stop
-- @tparam[opt] string reason  kept as `history.reason`
-- @usage on_epoch = function(state) if state.val_loss < 0.1 then state:stop "enough" end end
function State:stop(reason)
  self.history.reason = reason
  self.fit.status = "stopped"
end

return State
