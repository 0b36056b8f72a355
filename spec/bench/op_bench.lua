-- One small operation: a + b of length 10 against NumPy's in the same run. Wanted: no slower.

local lariat = require "lariat"
local peer = require "spec.support.peer"

local SOURCE = [[
import time
import numpy as np

def seconds(body, a, b, n=200000):
    scope = {}
    loop = "def loop(a, b, n):\n    for _ in range(n):\n        c = " + body
    exec(loop, scope)
    best = 1e9
    for _ in range(5):
        start = time.perf_counter()
        scope["loop"](a, b, n)
        best = min(best, (time.perf_counter() - start) / n)
    return best

for kind in ("float32", "float64"):
    a, b = np.random.rand(10).astype(kind), np.random.rand(10).astype(kind)
    A, B = np.random.rand(10, 10).astype(kind), np.random.rand(10, 10).astype(kind)
    print("add_" + kind, seconds("a + b", a, b))
    print("matmul_" + kind, seconds("a @ b", A, B))
    print("sum_" + kind, seconds("a.sum()", a, b))
]]

-- `body` is compiled into the loop, so that no call is counted but the operation's own.
local function seconds(body, a, b)
  local source = "local a, b = ... return function(n) for _ = 1, n do local c = %s end end"
  local loop = load(source:format(body))
  return peer.time(loop(a, b), 0.3)
end

local first, why = peer.python(SOURCE, "numpy")
local rows = {}
for _, dtype in ipairs { "float32", "float64" } do
  local o = { dtype = dtype }
  local a, b = lariat.rand(10, o), lariat.rand(10, o)
  local A, B = lariat.rand(10, 10, o), lariat.rand(10, 10, o)
  local function row(body, size, name, p, q)
    local job = body .. ", " .. size .. ", " .. dtype
    rows[#rows + 1] = { job, seconds(body, p, q), name .. dtype }
  end
  row("a + b", "length 10", "add_", a, b)
  row("a:sum()", "length 10", "sum_", a, b)
  row("a:matmul(b)", "10 x 10", "matmul_", A, B)
end
local theirs = peer.best(first, first and peer.python(SOURCE, "numpy"))
if not first then print(why) end
for _, r in ipairs(rows) do r[3] = theirs and theirs[r[3]] end
peer.report("Small operations, best of several rounds.", "NumPy", rows)
