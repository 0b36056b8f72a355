-- Lasso paths against glmnet and scikit-learn, where these are installed, in one run and on one
-- thread: 100 lambdas down to 1/1000 of the largest, every solver as fine as it takes for an
-- evaluated duality gap of 1e-6 of |y|^2 at every lambda; and with glmnet at its own tolerance,
-- for the gap that this leaves. Problems are written to a folder of their own.
--
-- BENCH chooses: dense, leuk, tall, sparse, each with its peers; cv, of diabetes, and of dense
-- on one thread and on two; memory, of the sparse path. PEERS=glmnet leaves scikit-learn out,
-- which takes minutes for dense and sparse. Wanted, times glmnet's: dense 5, leuk 3, tall 10,
-- sparse 4, at its own tolerance 1.5; of scikit-learn's with a Gram matrix 2; diabetes within
-- 4 ms, two threads 1.8 times as fast as one; memory under twice the data and the coefficients.

local lariat = require "lariat"
local peer = require "spec.support.peer"

local SCRIPT = "spec/bench/glm_peers.py"
local wanted = os.getenv "BENCH" or "dense,leuk,tall,sparse,cv,memory"
local peers = os.getenv "PEERS" or "glmnet,scikit-learn"
lariat.threads(1)

local function capture(command)
  local pipe = assert(io.popen(command))
  local text = pipe:read "a"
  pipe:close()
  return text
end

local folder = capture("mktemp -d"):match "%S+"
local written = {}

local function ask_peers(what, ...)
  return capture(("OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 /usr/bin/python3 %s %s %s %s")
    :format(SCRIPT, what, folder, table.concat({ ... }, " "))):gmatch "(%S+) (%S+) (%S+)\n"
end

local function load_problem(name)
  if not written[name] then
    for _ in ask_peers("write", name) do end
    written[name] = true
  end
  local at = folder .. "/" .. name .. "/"
  local function npy(file) return lariat.data.npy(at .. file .. ".npy") end
  if name ~= "sparse" then -- a column's numbers side by side, as both peers have them
    return npy "X":t():contiguous():t(), npy "y"
  end
  local shape = npy("shape"):totable()
  local x = lariat.sparse.csc {
    data = npy "data", indices = npy "indices", indptr = npy "indptr", base = 0,
    shape = { math.tointeger(shape[1]), math.tointeger(shape[2]) },
  }
  return x, npy "y"
end

local function path(x, y, lambda, tol)
  return lariat.glm.path {
    x = x, y = y, lambda = lambda, intercept = false, standardize = false, tol = tol,
  }
end

local function row(name, who, seconds, gap, ours)
  print(("%-8s %-15s %9.4f s   gap %.1e%s"):format(name, who, seconds, gap,
    ours and ("   %6.1f times"):format(seconds / ours) or ""))
end

-- The best of three, and the greatest gap as a share of |y|^2: half of what tol is.
local function ours(name, who, x, y, lambda, gap)
  local best, result = math.huge, nil
  for _ = 1, 3 do
    local start = peer.clock()
    result = path(x, y, lambda, 2 * gap)
    best = math.min(best, peer.clock() - start)
  end
  row(name, who, best, result.gap:max():item() / 2)
  return best
end

local function race(name)
  local x, y = load_problem(name)
  local lambda = lariat.data.npy(folder .. "/" .. name .. "/lambda.npy")
  local best = ours(name, "lariat", x, y, lambda, 1e-6)
  for who, seconds, gap in ask_peers("run", name, peers) do
    row("", who, tonumber(seconds), tonumber(gap), best)
  end
  for who, seconds, gap in ask_peers("default", name) do -- glmnet as it comes
    best = ours("", "lariat", x, y, lambda, tonumber(gap))
    row("", who .. " default", tonumber(seconds), tonumber(gap), best)
  end
end

-- Ten folds of the dense problem down to the lambda where predictions are past their best.
local function cv_on(threads, x, y, lambda)
  lariat.threads(threads)
  local best = math.huge
  for _ = 1, 3 do
    local start = peer.clock()
    lariat.glm.cv { x = x, y = y, folds = 10, seed = 1, lambda = lambda }
    best = math.min(best, peer.clock() - start)
  end
  lariat.threads(1)
  return best
end

local function cv()
  local d = lariat.data.diabetes()
  local t = peer.time(function(n)
    for _ = 1, n do lariat.glm.cv { x = d.x, y = d.y, folds = 10, seed = 1 } end
  end, 0.5, 3)
  print(("cv       diabetes, 10 folds   %.2f ms"):format(t * 1e3))
  local x, y = load_problem "dense"
  local lambda = lariat.data.npy(folder .. "/dense/lambda.npy")[{ { 1, 67 } }]
  local one, two = cv_on(1, x, y, lambda), cv_on(2, x, y, lambda)
  print(("cv       dense, 10 folds      %.2f s on one thread, %.2f s on two: %.2f times")
    :format(one, two, one / two))
end

local function status(key)
  for line in io.lines "/proc/self/status" do
    local kib = line:match("^" .. key .. ":%s+(%d+)")
    if kib then return kib / 1024 end
  end
end

-- Everything that the process holds at its peak, itself included.
local function memory()
  local x, y = load_problem "sparse"
  local lambda = lariat.data.npy(folder .. "/sparse/lambda.npy")
  collectgarbage()
  collectgarbage()
  lariat.core.mem_trim()
  local reset = assert(io.open("/proc/self/clear_refs", "w"))
  reset:write "5"
  reset:close()
  local result = path(x, y, lambda)
  local data = (x.nnz * 12 + (x.shape[2] + 1) * 8) / 2 ^ 20
  local most = 2 * data + result.coef.numel * 8 / 2 ^ 20
  print(("memory   sparse path: %.0f MiB; twice the data and the coefficients: %.0f MiB")
    :format(status "VmHWM", most))
end

for name in wanted:gmatch "%w+" do
  if name == "cv" then cv() elseif name == "memory" then memory() else race(name) end
end
os.execute("rm -r '" .. folder .. "'")
