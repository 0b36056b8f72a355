-- Survival: which measurements tell who lives how long, when many are still alive at the end of
-- the study. Cox's proportional hazards with a lasso on simulated patients, the lambda by the
-- partial likelihood of those left out, and the groups of high and low risk that it finds.
--
-- Usage: lariat examples/26-cox.lua

local lariat = require "lariat"
local glm = lariat.glm
local f64 = { dtype = "float64" }

local PATIENTS, COLUMNS = 400, 30
local TRUTH = { 1, -0.8, 0.6, -0.4 }

lariat.seed(2)
local x = lariat.randn(PATIENTS, COLUMNS, f64)
local risk = lariat.zeros(PATIENTS, f64)
for j, b in ipairs(TRUTH) do risk = risk + x[{ {}, j }] * b end

-- Exponential times with that hazard, in whole months; the study ends at 24, some leave early.
local function exponential(rate) return lariat.rand(PATIENTS, f64):log() * -1 / rate end
local life = exponential(risk:exp() * 0.05)
local leave = exponential(lariat.full({ PATIENTS }, 0.02, f64)):clamp(0, 24)
local status = life:le(leave):double()
local time = life:minimum(leave):ceil():clamp(1, 24)
print(("%d patients, %d died within 24 months"):format(PATIENTS, status:sum():item()))

local cv = glm.cv { x = x, y = time, status = status, family = "cox", seed = 1, n_lambda = 40 }
print(cv)
local fit = cv:at "1se"
print()
print(fit)

-- Ties of whole months: Efron's account of them pulls the estimates up a little.
local efron = glm.fit {
  x = x, y = time, status = status, family = "cox", ties = "efron", lambda = fit.lambda,
}
print(("\n%24s %10s %10s %10s"):format("", "truth", "Breslow", "Efron"))
for j, b in ipairs(TRUTH) do
  print(("%24s %10.2f %10.3f %10.3f"):format("x" .. j, b, fit.coef[j], efron.coef[j]))
end

-- Risks of patients by fits that have not seen them.
local score = cv:held_out("1se", "link")
local high = score:gt(score:median())
for _, group in ipairs { { "high risk", high }, { "low risk", high:eq(false) } } do
  print(("%-10s %3d patients, %3d died, %.1f months on average under observation"):format(
    group[1], group[2]:count_nonzero():item(), status[group[2]]:sum():item(),
    time[group[2]]:mean():item()))
end
