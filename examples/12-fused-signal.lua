-- Denoising with total variation: a signal of steps under noise, and what is left of it after
-- the prox of lambda sum |w_{i+1} - w_i|. The fused lasso shrinks towards zero as well, so that
-- the stretches without signal are exactly zero.
--
-- Usage: lariat examples/12-fused-signal.lua

local lariat = require "lariat"
local P = lariat.penalty

local N, NOISE = 64, 0.35

local function step(i)
  if i <= 12 or i > 54 then return 0 end
  return i <= 24 and 2 or i <= 38 and 0 or i <= 46 and -1.5 or 1
end

lariat.seed(3)
local truth = {}
for i = 1, N do truth[i] = step(i) end
truth = lariat.tensor(truth, { dtype = "float64" })
local noisy = truth + NOISE * lariat.randn(N, { dtype = "float64" })

local function pieces(w)
  local n = 1
  for i = 2, N do n = n + (w:at(i) ~= w:at(i - 1) and 1 or 0) end
  return n
end

local function draw(title, w)
  local rms = ((w - truth) ^ 2):mean():sqrt():item()
  print(("\n%s: error %.3f, %d pieces, %d exact zeros"):format(title, rms, pieces(w),
    w:eq(0):count_nonzero():item()))
  for level = 2.5, -2, -0.5 do
    local line = {}
    for i = 1, N do
      local v = w:at(i)
      line[i] = math.floor(v / 0.5 + 0.5) * 0.5 == level and "o" or level == 0 and "-" or " "
    end
    print(("%5.1f %s"):format(level, table.concat(line)))
  end
end

draw("signal", truth)
draw("with noise", noisy)
for _, lambda in ipairs { 0.3, 1 } do
  draw(("total variation, lambda = %g"):format(lambda), P.tv1d(lambda):prox(noisy, 1))
end
draw("fused lasso, 0.2 and 1", P.fused_lasso { lambda1 = 0.2, lambda2 = 1 }:prox(noisy, 1))
