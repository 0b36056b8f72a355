-- Matrix completion: a table of rank 3 of which six tenths are lost. Proximal gradient descent
-- on the entries that are left, with the nuclear norm (the sum of singular values) as penalty,
-- fills in the rest. The norm's concave form does not shrink the singular values that it keeps.
--
-- Usage: lariat examples/13-low-rank.lua

local lariat = require "lariat"
local P = lariat.penalty

local ROWS, COLUMNS, RANK, SEEN, STEPS = 40, 30, 3, 0.4, 1500

lariat.seed(4)
local f64 = { dtype = "float64" }
local truth = lariat.randn(ROWS, RANK, f64):matmul(lariat.randn(RANK, COLUMNS, f64))
local seen = lariat.rand(ROWS, COLUMNS, f64):lt(SEEN):double()
local table_with_gaps = truth * seen
local total = truth.numel - seen:sum():item()

-- Root mean square error on what was not seen, relative to the entries themselves.
local function error_of(w)
  local gap = ((w - truth) * (1 - seen)):square():sum():item()
  local size = (truth * (1 - seen)):square():sum():item()
  return math.sqrt(gap / size)
end

-- Least of 1/2 |seen * (w - truth)|^2 + penalty: gradient steps of length 1, then the prox.
local function complete(penalty, w)
  for _ = 1, STEPS do w = penalty:prox(w + seen * (table_with_gaps - w), 1) end
  return w
end

local function row(name, w)
  local s = lariat.linalg.singular_values(w):totable()
  local rank = 0
  for _, v in ipairs(s) do rank = rank + (v > 1e-9 and 1 or 0) end
  print(("%-26s %5d  %6.2f %6.2f %6.2f %6.2f  %8.4f"):format(name, rank, s[1], s[2], s[3],
    s[4], error_of(w)))
end

print(("%d x %d, rank %d; %d of %d entries are to be filled in\n"):format(ROWS, COLUMNS, RANK,
  total, truth.numel))
print(("%-26s %5s  %27s  %8s"):format("", "rank", "singular values", "error"))
row("the truth", truth)
row("zeros in the gaps", table_with_gaps)
local w = table_with_gaps
for _, lambda in ipairs { 8, 3, 1, 0.3 } do
  w = complete(P.nuclear(lambda), w) -- from the former solution
  row(("nuclear, lambda = %g"):format(lambda), w)
end
row("nuclear MCP, lambda = 1", complete(P.nuclear_mcp { lambda = 1, gamma = 3 }, w))
