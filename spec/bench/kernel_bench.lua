-- Kernels on large tensors against a plain copy of the same bytes, and against PyTorch, one
-- thread and two: elementwise functions, reductions, softmax, normalisation (forward, and with
-- the backward pass), transposes, indexing, random numbers, dropout. A kernel that reads and
-- writes each element once and is bound by memory stands at 1.0; a reduction, which only
-- reads, at about 0.5. Times are the best of many single calls.
--
-- An argument is a pattern: rows whose names it matches are measured. BENCH_N is the number of
-- elements, BENCH_DTYPE float32 or float64, BENCH_THREADS a list such as "1".

local lariat = require "lariat"
local peer = require "spec.support.peer"
local nn = lariat.nn

local N = tonumber(os.getenv "BENCH_N") or 4000000
local DTYPE = os.getenv "BENCH_DTYPE" or "float32"
local THREADS = os.getenv "BENCH_THREADS" or "1 2"
local ONLY = arg and arg[1] or ""

lariat.default_dtype(DTYPE)
local x = lariat.rand(N)
local a, b, to = lariat.randn(N), lariat.randn(N), lariat.zeros(N)
local m, m2 = a:view(N // 500, 500), b:view(N // 500, 500)
local row, column = lariat.randn(500), lariat.randn(N // 500, 1)
local image = a:view(N // 40000, 40, 40, 25)
local rows = lariat.randint(1, N // 500, { N // 500 })
local places = lariat.randint(1, 500, { N // 500, 500 })
local classes = lariat.randint(1, 100, { N // 100 })
local mask = m:gt(0)

local function forward(module, input)
  return function() lariat.no_grad(function() return module(input) end) end
end

local function back(fn, input)
  input = input:clone():requires_grad_(true)
  return function()
    input.grad = nil
    fn(input):sum():backward()
  end
end

local jobs = {} -- name, function, the same in Python
local function add(name, fn, python) jobs[#jobs + 1] = { name, fn, python } end

local function both(name, fn, input, python, torch_input)
  add(name, forward(fn, input), ("(%s)(%s)"):format(python, torch_input))
  add(name .. " and back", back(fn, input), ("back(%s, %s)"):format(python, torch_input))
end

local function elementwise()
  for _, name in ipairs { "exp", "expm1", "tanh", "sigmoid", "erf", "sin", "relu", "abs",
    "square" } do
    add(name, function() a[name](a) end, ("torch.%s(a)"):format(name))
  end
  for _, name in ipairs { "log", "log1p", "sqrt", "rsqrt", "reciprocal" } do
    add(name, function() x[name](x) end, ("torch.%s(x)"):format(name))
  end
  for name, python in pairs { softplus = "softplus", gelu = "gelu", silu = "silu",
    log_sigmoid = "logsigmoid" } do
    add(name, function() a[name](a) end, ("F.%s(a)"):format(python))
  end
  add("gelu and back", back(function(v) return v:gelu() end, a), "back(F.gelu, a)")
  add("gelu tanh and back", back(function(v) return v:gelu("tanh") end, a),
    "back(lambda v: F.gelu(v, approximate='tanh'), a)")
  add("pow", function() x:pow(1.5) end, "x ** 1.5")
  add("clamp", function() a:clamp(-1, 1) end, "a.clamp(-1, 1)")
  add("a + b", function() return a + b end, "a + b")
  add("a > b", function() a:gt(b) end, "a > b")
  add("m + row", function() return m + row end, "m + row")
  add("m + column", function() return m + column end, "m + column")
  add("m * m2^T", function() return m:t() * m2:t() end, "m.t() * m2.t()")
  add("where", function() lariat.where(mask, m, m2) end, "torch.where(mask, m, m2)")
  add("masked_fill", function() m:masked_fill(mask, 0) end, "m.masked_fill(mask, 0)")
  add("cast", function() m:to(DTYPE == "float32" and "float64" or "float32") end,
    "m.to(other)")
end

local function reductions()
  for _, name in ipairs { "sum", "mean", "max", "argmax", "var", "prod", "norm" } do
    add(name, function() a[name](a) end, ("a.%s()"):format(name))
  end
  for _, name in ipairs { "sum", "max", "argmax", "var", "std", "logsumexp", "softmax",
    "log_softmax", "cumsum" } do
    for d = 1, 2 do
      add(("%s(%d)"):format(name, d), function() m[name](m, d) end,
        ("torch.%s(m, %d)"):format(name, d - 1))
    end
  end
  add("softmax and back", back(function(v) return v:softmax(2) end, m),
    "back(lambda v: v.softmax(1), m)")
  add("log_softmax and back", back(function(v) return v:log_softmax(2) end, m),
    "back(lambda v: v.log_softmax(1), m)")
end

local function layouts()
  add("transpose", function() m:t():contiguous() end, "m.t().contiguous()")
  add("transpose 2000 x 2000", function() a:view(-1, 2000):t():contiguous() end,
    "a.view(-1, 2000).t().contiguous()")
  add("transpose n x 8", function() a:view(-1, 8):t():contiguous() end,
    "a.view(-1, 8).t().contiguous()")
  add("transpose 8 x n", function() a:view(8, -1):t():contiguous() end,
    "a.view(8, -1).t().contiguous()")
  for _, p in ipairs { { 1, 3, 4, 2 }, { 1, 4, 2, 3 }, { 1, 3, 2, 4 }, { 4, 3, 2, 1 },
    { 2, 1, 3, 4 } } do
    add(("permute %d %d %d %d"):format(table.unpack(p)),
      function() image:permute(p[1], p[2], p[3], p[4]):contiguous() end,
      ("image.permute(%d, %d, %d, %d).contiguous()"):format(p[1] - 1, p[2] - 1, p[3] - 1,
        p[4] - 1))
  end
  add("flip", function() m:flip(2) end, "m.flip(1)")
  add("cat", function() lariat.cat({ m, m2 }, 2) end, "torch.cat([m, m2], 1)")
  add("narrow", function() m:narrow(2, 1, 250):contiguous() end,
    "m.narrow(1, 0, 250).contiguous()")
end

local function rest()
  add("index_select(1)", function() m:index_select(1, rows) end, "m.index_select(0, rows)")
  add("index_select and back", back(function(v) return v:index_select(1, rows) end, m),
    "back(lambda v: v.index_select(0, rows), m)")
  add("gather(2)", function() m:gather(2, places) end, "m.gather(1, places)")
  add("one_hot", function() classes:one_hot(100) end, "F.one_hot(classes, 100)")
  add("sort(2)", function() m:sort(2) end, "m.sort(1)")

  add("rand", function() lariat.rand(N) end, "torch.rand(N)")
  add("randn", function() lariat.randn(N) end, "torch.randn(N)")
  add("randperm", function() lariat.randperm(N // 4) end, "torch.randperm(N // 4)")

  both("layer_norm", nn.layer_norm(500), m, "nn.LayerNorm(500)", "m")
  both("batch_norm", nn.batch_norm(500), m, "nn.BatchNorm1d(500)", "m")
  both("batch_norm planes", nn.batch_norm(40), image, "nn.BatchNorm2d(40)", "image")
  both("group_norm", nn.group_norm(4, 40), image, "nn.GroupNorm(4, 40)", "image")
  both("dropout", nn.dropout(0.5), m, "nn.Dropout(0.5)", "m")
end

elementwise()
reductions()
layouts()
rest()

local function wanted(job) return job[1]:find(ONLY) ~= nil end

local PYTHON = [[
import time
import torch
import torch.nn.functional as F
from torch import nn

N, DTYPE = %d, torch.%s
other = torch.float64 if DTYPE == torch.float32 else torch.float32
torch.set_default_dtype(DTYPE)
x, a, b = torch.rand(N), torch.randn(N), torch.randn(N)
m, m2 = a.view(-1, 500), b.view(-1, 500)
row, column = torch.randn(500), torch.randn(N // 500, 1)
image = a.view(-1, 40, 40, 25)
rows = torch.randint(0, N // 500, (N // 500,))
places = torch.randint(0, 500, (N // 500, 500))
classes = torch.randint(0, 100, (N // 100,))
mask = m > 0

def back(fn, v):
    v = v.detach().clone().requires_grad_(True)
    fn(v).sum().backward()

def measure(name, fn):
    fn()
    best, until, calls = 1e9, time.perf_counter() + 0.3, 0
    while calls < 5 or time.perf_counter() < until:
        start = time.perf_counter()
        fn()
        best = min(best, time.perf_counter() - start)
        calls += 1
    print(name, best, flush=True)

def made(text):
    if "nn." not in text:
        return eval("lambda: " + text)
    at = text.index("nn.")
    end = text.index(")", at) + 1
    module = eval(text[at:end])
    return eval("lambda: " + text[:at] + "module" + text[end:], dict(globals(), module=module))

for threads in %s:
    torch.set_num_threads(threads)
    for k, text in %s:
        try:
            if text.startswith("back("):
                measure("%%d_%%d" %% (threads, k), made(text))
            else:
                with torch.no_grad():
                    measure("%%d_%%d" %% (threads, k), made(text))
        except (RuntimeError, TypeError, AttributeError):
            pass
]]

local function pytorch()
  local list = {}
  for k, job in ipairs(jobs) do
    if wanted(job) then list[#list + 1] = ("(%d, %q)"):format(k, job[3]) end
  end
  local counts = "[" .. THREADS:gsub("%s+", ", ") .. "]"
  return peer.python(PYTHON:format(N, DTYPE, counts, "[" .. table.concat(list, ", ") .. "]"),
    "torch")
end

local function measure(fn)
  fn()
  local best, stop, calls = math.huge, peer.clock() + 0.3, 0
  while calls < 5 or peer.clock() < stop do
    local start = peer.clock()
    fn()
    best = math.min(best, peer.clock() - start)
    calls = calls + 1
  end
  return best
end

local function report(threads, theirs)
  lariat.threads(tonumber(threads))
  local copy = measure(function() to:copy_(a) end)
  print(("%d %s, threads: %s. A copy takes %.2f ms; below, times a copy, and lariat / PyTorch")
    :format(N, DTYPE, threads, 1e3 * copy))
  for k, job in ipairs(jobs) do
    if wanted(job) then
      local t, torch = measure(job[2]), theirs and theirs[("%s_%d"):format(threads, k)]
      print(("  %-24s %7.2f %8s %8s"):format(job[1], t / copy,
        torch and ("%.2f"):format(torch / copy) or "-",
        torch and ("%.2f"):format(t / torch) or "-"))
    end
  end
end

local theirs, why = pytorch()
if not theirs then print(why) end
for threads in THREADS:gmatch "%d+" do report(threads, theirs) end
