--- The history of a run: a list of records, one for each epoch.
-- @module lariat.train.history

local core = require "lariat.core"
local metric = require "lariat.metric"

local History = {}
History.__index = History

--- The last record, or nil.
-- @function history:last
-- @treturn ?table
-- @usage print(history:last().loss)
function History:last() return self[#self] end

--- The record in which a value was best.
-- @function history:best
-- @tparam[opt="val_loss"] string name  accuracies are best when large, losses when small
-- @treturn ?table record
-- @treturn ?number its epoch
-- @usage print(history:best("val_loss").epoch)
function History:best(name)
  name = name or "val_loss"
  local sign = metric.larger_is_better[name:gsub("^val_", "")] and -1 or 1
  local best
  for _, record in ipairs(self) do
    local v = record[name]
    if v and v == v and (not best or sign * v < sign * best[name]) then best = record end
  end
  return best, best and best.epoch
end

--- One value of every epoch as a float64 tensor; NaN where it is missing.
-- @function history:column
-- @tparam string name
-- @treturn Tensor (epochs)
-- @usage print(history:column("loss"):min())
function History:column(name)
  local values = {}
  for i, record in ipairs(self) do values[i] = record[name] or 0 / 0 end
  return core.tensor(values, { dtype = "float64" })
end

--- Draws losses against epochs: see `lariat.plot.lines`.
-- @function history:plot
-- @tparam[opt] string path  an .svg or .png file; the terminal otherwise
-- @usage history:plot()
function History:plot(path)
  local curves = {}
  for _, name in ipairs { "loss", "val_loss", "objective" } do
    local last = self[#self]
    if last and last[name] and (name ~= "objective" or last.penalty ~= 0) then
      curves[#curves + 1] = { y = self:column(name), label = name }
    end
  end
  return require "lariat.plot".lines { curves, path = path, xlabel = "epoch" }
end

--- Prints the kernels of the plan that ran the steps: what is run, the shape of what it writes,
-- the bytes that it reads and writes, and, of a run with `profile = true`, its time; or why
-- there was no plan.
-- @function history:profile
-- @tparam[opt] file to  standard output unless given
-- @usage history:profile(io.tmpfile())
function History:profile(to)
  to = to or io.stdout
  if type(to) ~= "userdata" and type(to) ~= "table" then
    error("profile: times are written to an open file, not to a " .. type(to), 2)
  end
  if not self.kernels then
    to:write("no plan; ", tostring(self.plan), "\n")
    return
  end
  to:write(("%d kernels, %d bytes of buffers\n"):format(#self.kernels, self.kernels.bytes))
  for k, kernel in ipairs(self.kernels) do
    local line = ("%4d  %-36s %-16s %10d bytes"):format(k, kernel.name, kernel.shape,
      kernel.bytes)
    if kernel.runs > 0 then
      line = line .. ("  %10.2f us"):format(kernel.seconds / kernel.runs * 1e6)
    end
    to:write(line, "\n")
  end
end

function History:__tostring()
  local last = self[#self]
  local text = ("history: %d epochs, %s"):format(#self, self.status)
  if not last then return text end
  text = text .. (", loss %.6g"):format(last.loss)
  if last.val_loss then text = text .. (", val_loss %.6g"):format(last.val_loss) end
  return text .. (", %.2f s"):format(self.seconds or 0)
end

return History
