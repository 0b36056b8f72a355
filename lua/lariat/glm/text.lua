--- How paths and fits are printed.
-- @module lariat.glm.text

local text = {}

-- The mean loss of a row, where f = intercept + x b + offset.
local LOSS = {
  gaussian = "(y_i - f_i)^2 / 2",
  binomial = "[log(1 + exp f_i) - y_i f_i]",
  multinomial = "[log sum_c exp f_ic - f_i,y_i]",
  poisson = "[exp f_i - y_i f_i]",
  huber = "huber(y_i - f_i; delta = %g)",
  quantile = "check(y_i - f_i; tau = %g)",
  mgaussian = "|y_i - f_i|^2 / 2",
  hinge = "max(0, 1 - s_i f_i)^2, s_i = -1, 1",
  cox = "events [log sum_{at risk} exp f_j - f_i]",
  custom = "loss(f_i, y_i)",
}

local DEFAULT = { huber = { "delta", 1 }, quantile = { "tau", 0.5 } }

local function loss_text(self)
  local form = LOSS[self.family] or self.family .. "(y_i, f_i)"
  local param = DEFAULT[self.family]
  if not param then return form end
  return form:format(self.family_params[param[1]] or param[2])
end

-- What a penalty prints, without its scope and how it acts.
local function penalty_text(penalty)
  local parts = {}
  for line in tostring(penalty):gmatch "[^\n]+" do
    local body = line:match "^(.-)%s+%[[^%]]*: by [^%]]*%]%s*$"
    if body then parts[#parts + 1] = (body:gsub(" on weights$", "")) end
  end
  return (table.concat(parts, " "):gsub("^1 ", ""):gsub("%f[%w]w%f[%W]", "b"))
end

-- The columns that lists of groups leave out, by number.
local function in_no_group(self)
  local missing = {}
  for _, term in ipairs(self.penalty:describe()) do
    local groups = term.options and term.options.groups
    local seen = {}
    for _, group in ipairs(type(groups) == "table" and groups or {}) do
      for _, j in ipairs(group) do seen[j] = true end
    end
    for j = 1, next(seen) and self.p or 0 do
      if not seen[j] then missing[#missing + 1] = j end
    end
  end
  return missing
end

local function free_text(self)
  local few, missing = 5, in_no_group(self)
  if #missing == 0 then return "" end
  if #missing == 1 then return "; column " .. missing[1] .. " is in no group and free of it" end
  local which = #missing <= few and "columns " .. table.concat(missing, ", ")
    or #missing .. " columns"
  return ("; %s are in no group and free of it"):format(which)
end

--- What is minimised.
-- @local
function text.objective(self, lambda)
  local mean = self.weighted and "(1 / sum w) sum_i w_i " or "(1/n) sum_i "
  local bare = self.ask.intercept == false or self.family == "cox"
  local free = bare and "f = x b" or "f = b0 + x b"
  if self.ask.offset then free = free .. " + offset" end
  local scaled = self.standardize and ", b on columns of standard deviation 1" or ""
  local penalty = penalty_text(self.penalty)
  if penalty:find " " then penalty = "(" .. penalty .. ")" end
  return ("%s%s + %s * %s, %s%s%s"):format(mean, loss_text(self), lambda, penalty, free, scaled,
    free_text(self))
end

local function kind(self)
  local words = { self.family }
  if self.k > 1 then words[1] = ("%s (%d)"):format(self.family, self.k) end
  words[2] = ("%d rows, %d columns"):format(self.n, self.p)
  if self.compat then words[#words + 1] = "as " .. self.compat end
  return table.concat(words, ", ")
end

local function worst(values)
  local finite = values[values:isfinite()]
  return finite.numel > 0 and math.max(finite:max():item(), 0) or nil
end

--- A path: df, deviance explained and lambda of every point.
-- @local
function text.path(self)
  local lines = { "glm path: " .. kind(self), "  " .. text.objective(self, "lambda") }
  local gap, kkt = worst(self.gap), worst(self.kkt)
  local points = #self.status
  local state = ("  %d lambdas by %s, %s"):format(points, self.solver or "none", self.ended)
  if gap then state = state .. (", relative gap at most %.1e"):format(gap)
  elseif kkt then state = state .. (", optimal to %.1e"):format(kkt) end
  lines[3], lines[4] = state, ""
  local df, dev, lambda = self.df:totable(), self.dev_ratio:totable(), self.lambdas
  local wide = math.max(2, #tostring(points))
  lines[5] = (" "):rep(wide) .. "    Df    %Dev       Lambda"
  for l = 1, points do
    local status = self.status[l]
    local note = (status == "converged" or status == "saturated") and "" or "  " .. status
    lines[#lines + 1] = ("%" .. wide .. "d %5d %7.2f %12.6g%s"):format(l, df[l],
      math.max(0, 100 * dev[l]), lambda[l], note)
  end
  return table.concat(lines, "\n")
end

local function state_text(self)
  local words = { self.status, ("%d of %d columns used"):format(self.df, self.p) }
  if self.dev_ratio then
    words[#words + 1] = ("%.2f %% of the deviance"):format(100 * self.dev_ratio)
  end
  if self.gap and self.gap == self.gap then
    words[#words + 1] = ("relative gap %.1e"):format(math.max(self.gap, 0))
  elseif self.kkt and self.kkt == self.kkt then
    words[#words + 1] = ("optimal to %.1e"):format(self.kkt)
  end
  return table.concat(words, ", ")
end

local SHOWN = 12

--- A fit: its largest coefficients by name.
-- @local
function text.fit(self)
  local lines = {
    "glm fit: " .. kind(self), "  " .. self:objective(), "  " .. state_text(self),
  }
  local function line(name, of, value)
    if of then name = name .. " " .. tostring(of) end
    lines[#lines + 1] = ("  %-24s %13.6g"):format(name, value)
  end
  if self.k == 1 then
    if self.family ~= "cox" then line("(intercept)", nil, self.intercept) end
  else
    for c = 1, self.k do
      line("(intercept)", self.classes and self.classes[c] or c, self.intercept[c])
    end
  end
  local all = self:table()
  for i = 1, math.min(#all, SHOWN) do line(all[i].name, all[i].class, all[i].value) end
  if #all > SHOWN then lines[#lines + 1] = ("  ... and %d more"):format(#all - SHOWN) end
  return table.concat(lines, "\n")
end

return text
