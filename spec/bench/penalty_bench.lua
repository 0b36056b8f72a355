-- Value, gradient and prox of penalties on 10 million float32 against a plain copy of the same
-- bytes (`a:copy_(b)`), on one core and on two; a training step with penalties against the one
-- without; a penalty written in Lua as a value against the built-in one. Wanted: 1.3 for
-- separable penalties, 1.6 for the group lasso by row, 15 for tv1d and the l1 ball, 1.05 for
-- the step, 5 for the penalty in Lua. The gradient is added to a tensor, as training does it:
-- that moves half as many bytes again as the copy.

local lariat = require "lariat"
local peer = require "spec.support.peer"

local P, nn, optim = lariat.penalty, lariat.nn, lariat.optim
local N = tonumber(os.getenv "BENCH_N") or 10000000

local function show(name, ...)
  print(("%-34s"):format(name) .. (("%12s"):rep(select("#", ...))):format(...))
end

local function ratio(a, b) return ("%.2f"):format(a / b) end

-- Jobs in turns, so that a busy machine is busy for all of them: the best time of each.
local function race(jobs, rounds, seconds)
  local best = {}
  for _ = 1, rounds do
    for name, job in pairs(jobs) do
      local t = peer.time(function(n) for _ = 1, n do job() end end, seconds, 1)
      best[name] = math.min(best[name] or t, t)
    end
  end
  return best
end

-- Passes over one tensor ---------------------------------------------------------------------

local noise, to = lariat.randn(N), lariat.zeros(N)
local flat = noise:clone() -- proxes overwrite it, so every entry starts from the noise
local rows = flat:view(N // 100, 100)

local entries = {
  { "l1", P.l1(1e-9), flat },
  { "l2", P.l2(1e-9), flat },
  { "elastic_net", P.elastic_net(1e-9), flat },
  { "mcp", P.mcp and P.mcp(1e-9), flat },
  { "scad", P.scad and P.scad(1e-9), flat },
  { "group_lasso by row", P.group_lasso { lambda = 1e-9, by = "row" }, rows },
  { "tv1d", P.tv1d and P.tv1d(1e-9), flat, true },
  { "l1_ball", P.l1_ball and P.l1_ball(0.5 * N), flat, true },
}

-- What the table above leaves out: other groupings, strengths and shapes of data, each from
-- the same data every time, the copy that restores it taken off again.
local walk = (lariat.randn(N) * 0.1):cumsum(1) + lariat.randn(N) * 0.3
local heavy = (lariat.randn(N) * 3):exp()
local steps_of = lariat.rand(N) + 0.5

local proxes = {
  { "lq 1/2", P.lq(1), flat }, { "lq 2/3", P.lq { q = 2 / 3 }, flat },
  { "log_sum", P.log_sum(1), flat },
  { "group_lasso by row, metric", P.group_lasso { lambda = 1e-3, by = "row" }, rows, true },
  { "group_lasso by column", P.group_lasso { lambda = 1e-3, by = "column" }, rows },
  { "group_lasso by column, metric", P.group_lasso { lambda = 1e-3, by = "column" }, rows,
    true },
  { "max_norm by column, metric", P.max_norm { c = 1e3, by = "column" }, rows, true },
}
for _, l in ipairs { 1e-9, 0.1, 1, 10, 100 } do
  table.insert(proxes, { ("tv1d(%g), noise"):format(l), P.tv1d(l), flat })
  table.insert(proxes, { ("tv1d(%g), walk and noise"):format(l), P.tv1d(l), walk })
end
for _, radius in ipairs { 1e-3, 1, 1e3, 1e5, 0.5 * N } do
  table.insert(proxes, { ("l1_ball(%g), noise"):format(radius), P.l1_ball(radius), flat })
  table.insert(proxes, { ("l1_ball(%g), heavy"):format(radius), P.l1_ball(radius), heavy })
end

local function more(threads)
  lariat.threads(threads)
  print(("\nproxes, %d thread%s: times a copy"):format(threads, threads > 1 and "s" or ""))
  for _, e in ipairs(proxes) do
    local name, pen, w, metric = table.unpack(e)
    local u = to:view(w.shape)
    local step = metric and steps_of:view(w.shape) or 0.5
    local t = race({
      copy = function() u:copy_(w) end,
      both = function() u:copy_(w) pen:prox_(u, step) end,
    }, 3, 0.1)
    show(name, ratio(t.both - t.copy, t.copy))
  end
end

local function passes(threads)
  lariat.threads(threads)
  print(("%d float32, %d thread%s: times a copy"):format(N, threads, threads > 1 and "s" or ""))
  show("", "value", "gradient", "prox")
  for _, e in ipairs(entries) do
    local name, pen, w, coupled = table.unpack(e)
    if pen then
      local g = to:view(w.shape)
      flat:copy_(noise)
      local jobs = {
        copy = function() to:copy_(flat) end,
        value = function() pen:value(w) end,
        prox = function() pen:prox_(w, 0.5) end,
      }
      if not coupled then jobs.gradient = function() pen:gradient(w, g) end end
      local t = race(jobs, 3, coupled and 0.1 or 0.2)
      show(name, ratio(t.value, t.copy), t.gradient and ratio(t.gradient, t.copy) or "-",
        ratio(t.prox, t.copy))
    end
  end
end

local threads = lariat.threads()
passes(1)
if threads > 1 then passes(threads) end
more(1)
if threads > 1 then more(threads) end
lariat.threads(threads)

-- A step -------------------------------------------------------------------------------------

local x, y = lariat.randn(128 * 8, 784), lariat.randint(1, 10, { 128 * 8 })
local STEPS = 5 * 8

-- Seconds of a step, as fit measures them.
local function steps(penalty)
  lariat.seed(0)
  local net = nn.sequential {
    nn.linear(784, 512), nn.relu(), nn.linear(512, 512), nn.relu(), nn.linear(512, 10),
  }
  local opt = optim.adam(net, { lr = 1e-4 })
  return function()
    local history = lariat.fit(net, { x = x, y = y }, {
      loss = "cross_entropy", optimizer = opt, penalty = penalty, epochs = 5, batch_size = 128,
    })
    return history.seconds / STEPS
  end
end

local function median(list)
  table.sort(list)
  return list[(#list + 1) // 2]
end

-- Jobs in turns; the median of each one's time and of its ratio to the first in that turn.
local function compare(jobs, rounds)
  local times, ratios = {}, {}
  for r = 1, rounds do
    for k, job in ipairs(jobs) do
      times[k], ratios[k] = times[k] or {}, ratios[k] or {}
      times[k][r] = job()
      ratios[k][r] = times[k][r] / times[1][r]
    end
  end
  for k in ipairs(jobs) do times[k], ratios[k] = median(times[k]), median(ratios[k]) end
  return times, ratios
end

local net = P.elastic_net { lambda = 1e-4, l1_ratio = 0.5 }
local times, ratios = compare({
  steps(), steps(net), steps(P.max_norm(3)), steps(net + P.max_norm(3)),
}, 15)
print "\n784-512-512-10, batch 128, Adam: times the step without penalty"
show("elastic_net", ("%.3f"):format(ratios[2]))
show("max_norm", ("%.3f"):format(ratios[3]))
show("elastic_net + max_norm", ("%.3f"):format(ratios[4]))
show("step without, ms", ("%.2f"):format(times[1] * 1e3))

-- In Lua -------------------------------------------------------------------------------------

local square = P.new { name = "square", value = function(_, w) return (w * w):sum() / 2 end }
times, ratios = compare({ steps(P.l2(1e-4)), steps(1e-4 * square) }, 7)
print "\nThe same step with l2 written in Lua: times the built-in one"
show("in training", ratio(ratios[2], 1))
show("step with the built-in, ms", ("%.2f"):format(times[1] * 1e3))
local one = lariat.randn(512, 512)
local square_l = 1e-4 * square
local half = P.l2(1e-4)
local t = race({
  lua = function() square_l:gradient(one) end, built_in = function() half:gradient(one) end,
}, 5, 0.2)
show("gradient of 512 x 512 alone", ratio(t.lua, t.built_in))
