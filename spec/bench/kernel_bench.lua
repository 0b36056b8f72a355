-- Kernels on large float32 tensors against a plain copy of the same bytes, one thread and two:
-- elementwise functions, reductions, softmax, normalisation (forward, and with the backward
-- pass), transposes, dropout. A kernel that reads and writes each element once and is bound by
-- memory stands at 1.0; a reduction, which only reads, at about 0.5.

local lariat = require "lariat"
local peer = require "spec.support.peer"
local nn = lariat.nn

local N = tonumber(os.getenv "BENCH_N") or 4000000
local a, to = lariat.randn(N), lariat.zeros(N)
local m = a:view(N // 500, 500)

local function layer(module, x, back)
  if not back then
    return function() lariat.no_grad(function() return module(x) end) end
  end
  local input = x:clone():requires_grad_(true)
  return function()
    input.grad = nil
    module(input):sum():backward()
  end
end

local function elementwise(name) return { name, function() a[name](a) end } end

local function module(name, made, x)
  return { name, layer(made, x) }, { name .. " and back", layer(made, x, true) }
end

local jobs = {}
for _, name in ipairs { "exp", "log1p", "tanh", "sigmoid", "erf", "sqrt", "relu" } do
  jobs[#jobs + 1] = elementwise(name)
end
local function add(...)
  for _, job in ipairs { ... } do jobs[#jobs + 1] = job end
end
add({ "sum", function() a:sum() end }, { "sum(1)", function() m:sum(1) end },
  { "sum(2)", function() m:sum(2) end }, { "max(2)", function() m:max(2) end },
  { "var(2)", function() m:var(2) end }, { "logsumexp(2)", function() m:logsumexp(2) end },
  { "softmax(2)", function() m:softmax(2) end },
  { "transpose", function() m:t():contiguous() end })
add(module("layer_norm", nn.layer_norm(500), m))
add(module("batch_norm", nn.batch_norm(500), m))
add(module("dropout", nn.dropout(0.5), m))

for _, threads in ipairs { 1, 2 } do
  lariat.threads(threads)
  print(("%d float32, %d thread%s: times a copy"):format(N, threads, threads > 1 and "s" or ""))
  local copy = peer.time(function(n) for _ = 1, n do to:copy_(a) end end, 0.2, 5)
  for _, job in ipairs(jobs) do
    local t = peer.time(function(n) for _ = 1, n do job[2]() end end, 0.2, 3)
    print(("  %-22s %6.2f"):format(job[1], t / copy))
  end
end
