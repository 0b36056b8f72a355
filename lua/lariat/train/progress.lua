--- The line that shows how a run goes.
-- @module lariat.train.progress

local core = require "lariat.core"

local function clock(seconds)
  if seconds < 60 then return ("%.0f s"):format(seconds) end
  return ("%d:%02d"):format(seconds // 60, math.floor(seconds % 60))
end

local Progress = {}
Progress.__index = Progress

function Progress:line(text)
  io.stderr:write("\r", text, "\27[K")
  self.open = true
end

function Progress:step(state)
  local fit = state.fit
  local done = fit.step - self.first
  local rate = done / math.max(fit.seconds, 1e-9)
  local text = ("epoch %d/%d"):format(fit.epoch, state.epochs)
  local total = state.total_steps
  if fit.batches > 0 then text = text .. ("  step %d/%d"):format(fit.batch, fit.batches) end
  text = text .. ("  loss %.4g  %.0f steps/s"):format(fit.batch_loss, rate)
  if total and rate > 0 then
    text = text .. "  " .. clock(math.max(total - fit.step, 0) / rate) .. " left"
  end
  self:line(text)
end

function Progress:epoch(state, record)
  local text = ("epoch %d/%d  loss %.4g"):format(record.epoch, state.epochs, record.loss)
  if record.val_loss then text = text .. ("  val_loss %.4g"):format(record.val_loss) end
  for _, m in ipairs(self.metrics) do
    local v = record["val_" .. m.name] or record[m.name]
    if type(v) == "number" then text = text .. ("  %s %.4g"):format(m.name, v) end
  end
  self:line(text)
end

function Progress:close()
  if self.open then io.stderr:write "\n" end
end

-- A line for this run, or nil where none is wanted.
function Progress.new(opts, metrics)
  local shown = opts.progress
  if shown == nil then shown = core.is_terminal(2) end
  local first = opts.resume and opts.resume.position.step or 0
  return shown and setmetatable({ metrics = metrics, first = first }, Progress) or nil
end

return Progress
