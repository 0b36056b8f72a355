-- Lasso paths against glmnet and scikit-learn, where these are installed, in one run and on one
-- thread: 100 lambdas down to 1/1000 of the largest, every solver as fine as it takes for an
-- evaluated duality gap of 1e-6 of |y|^2 / n at every lambda. Problems are written to a folder
-- of their own; BENCH=dense,leuk,tall,sparse chooses. Wanted, times glmnet's: dense 5, leuk 3,
-- tall 10, sparse 4; and cross-validation of diabetes within 4 ms.

local lariat = require "lariat"
local peer = require "spec.support.peer"

local SCRIPT = "spec/bench/glm_peers.py"
local wanted = os.getenv "BENCH" or "dense,leuk,tall,sparse"
lariat.threads(1)

local function capture(command)
  local pipe = assert(io.popen(command))
  local text = pipe:read "a"
  pipe:close()
  return text
end

local folder = capture("mktemp -d"):match "%S+"

local function load_problem(name)
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

local function path(x, y, lambda)
  return lariat.glm.path { x = x, y = y, lambda = lambda, intercept = false }
end

local function race(name)
  local x, y = load_problem(name)
  local lambda = lariat.data.npy(folder .. "/" .. name .. "/lambda.npy")
  local best, result = math.huge, nil
  for _ = 1, 3 do
    local start = peer.clock()
    result = path(x, y, lambda)
    best = math.min(best, peer.clock() - start)
  end
  print(("%-8s lariat        %8.3f s   gap %.1e"):format(name, best, result.gap:max():item()))
  for line in capture(("OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 /usr/bin/python3 %s run %s %s")
    :format(SCRIPT, folder, name)):gmatch "[^\n]+" do
    local who, seconds, gap = line:match "(%S+) (%S+) (%S+)"
    if who then
      print(("%-8s %-13s %8.3f s   gap %.1e   %6.1f times"):format("", who, seconds, gap,
        tonumber(seconds) / best))
    end
  end
end

assert(os.execute(("/usr/bin/python3 %s write %s %s"):format(SCRIPT, folder, wanted)))
for name in wanted:gmatch "%w+" do race(name) end
os.execute("rm -r '" .. folder .. "'")

local d = lariat.data.diabetes()
local t = peer.time(function(n)
  for _ = 1, n do lariat.glm.cv { x = d.x, y = d.y, folds = 10, seed = 1 } end
end, 0.5, 3)
print(("cv of diabetes: %.1f ms"):format(t * 1e3))
