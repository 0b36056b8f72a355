--- Plots of paths and cross-validations, through `lariat.plot`.
-- @module lariat.glm.draw

local options = require "lariat.options"
local plot = require "lariat.plot"
local raise = require "lariat.glm.fail".raise

local draw = {}

-- The rows (coefficients over lambdas) that get largest, with names.
local function curves_of(self, most)
  local points = #self.status
  local flat = self.coef:reshape(-1, points)
  local size = flat:abs():max(2)
  local used = size:gt(0):count_nonzero():item()
  local n = math.min(most, used)
  local curves = {}
  if n == 0 then raise "plot: every coefficient is 0" end
  local _, index = size:topk(n)
  for i, at in ipairs(index:totable()) do
    local j, c = (at - 1) // self.k + 1, (at - 1) % self.k + 1
    local name = self.names and self.names[j] or "x" .. j
    if self.k > 1 then name = name .. " " .. tostring(self.classes and self.classes[c] or c) end
    curves[i] = { x = self.lambda, y = flat[at], label = name }
  end
  return curves, used
end

local function positive(self)
  if #self.status < 2 then raise "plot: the path has fewer than two points" end
  if self.lambdas[#self.lambdas] <= 0 then
    raise "plot: lambda = 0 has no place on a logarithmic axis"
  end
end

--- Coefficients of a path.
-- @local
function draw.path(self, file, given)
  local o = options.check("plot", given, { "most" }, 0)
  positive(self)
  local curves, used = curves_of(self, o.most or 8)
  local marks
  local convex, last = self.convex_until, self.lambdas[#self.lambdas]
  if convex and convex > last then marks = { { x = convex, label = "not convex below" } } end
  local title
  if used > #curves then
    title = ("the %d largest of %d coefficients"):format(#curves, used)
  end
  return plot.lines {
    curves, path = file, logx = true, xlabel = "lambda", ylabel = "coefficient", marks = marks,
    title = title,
  }
end

--- The curve of a cross-validation.
-- @local
function draw.cv(self, file)
  if not self.lambda_min then raise "plot: no lambda was judged" end
  positive(self.fit)
  local loss = type(self.loss) == "string" and self.loss or "loss"
  return plot.lines {
    { { x = self.lambda, y = self.mean, error = self.se, label = loss } },
    path = file, logx = true, xlabel = "lambda", ylabel = loss .. " of rows left out",
    marks = { { x = self.lambda_min, label = "min" }, { x = self.lambda_1se, label = "1se" } },
  }
end

return draw
