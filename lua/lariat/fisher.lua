--- The diagonal of the Fisher information, behind `lariat.penalty.fisher`.
-- @module lariat.fisher
-- @usage local f = require "lariat.fisher"(net, { x = x, y = y }, { loss = "mse" })

local core = require "lariat.core"
local checked = require "lariat.options"

local KNOWN = { "loss", "samples" }

local function read(net, data, options)
  if type(net) ~= "userdata" or not net.parameters then
    error("fisher: the first argument must be a model, not a " .. type(net), 0)
  end
  local x, y = (data or {}).x, (data or {}).y
  if not (core.is_tensor(x) and core.is_tensor(y)) then
    error("fisher: data must be {x=, y=} with tensors", 0)
  end
  options = checked.check("fisher", options, KNOWN)
  local loss = options.loss or "cross_entropy"
  if type(loss) == "string" then
    loss = core.loss[loss] or error(("fisher: unknown loss '%s'"):format(loss), 0)
  end
  local n = #x
  local samples = math.min(checked.number("fisher", options, "samples", n, 1), n)
  if n == 0 then error("fisher: x has no rows", 0) end
  return x, y, loss, n, math.floor(samples)
end

local function fisher(net, data, options)
  local x, y, loss, n, samples = read(net, data, options)
  local names, params, sums, training = {}, {}, {}, net.training
  for name, p in net:parameters() do
    if p.requires_grad then
      names[#names + 1], params[#params + 1] = name, p
      sums[#sums + 1] = core.zeros(p.shape, { dtype = p.dtype })
    end
  end
  net:eval()
  local ok, why = pcall(function()
    for k = 1, samples do
      local row = math.floor((k - 0.5) * n / samples) + 1
      local f = loss(net(x:narrow(1, row, 1)), y:narrow(1, row, 1))
      for i, g in ipairs(core.grad(f, params)) do sums[i]:add_(g * g) end
    end
  end)
  if training then net:train() end
  if not ok then error(why, 0) end
  local out = {}
  for i, name in ipairs(names) do out[name] = sums[i] / samples end
  return out
end

return function(...)
  local result = table.pack(pcall(fisher, ...))
  if result[1] then return result[2] end
  error(result[2], 3)
end
