--- Compiled functions: a function of tensors, traced once and replayed.
--
-- The first two calls with arguments of a kind (shapes, layouts, dtypes, which of them ask for
-- gradients) run the function and note each operation; when both did the same, the list
-- becomes a plan: results that nobody needs are left out, what cannot change is computed once,
-- temporaries share one block of memory. Later calls run the plan and no Lua, to the same bits.
-- Results that ask for gradients are differentiated by the plan too (once; for higher orders
-- compile the function that takes the derivative, with `lariat.grad` inside).
--
-- Numbers, strings and booleans among the arguments are part of the kind, and so are those
-- that the function reaches by its upvalues and globals, in tables and metatables too: when one
-- changes, there is a new plan; where there are thousands, there is none. Tensors
-- from outside are read where they lie. What else the function does besides operations on
-- tensors (printing, counting, filling tables, reading files) is not repeated.
-- @module lariat.compile

local core = require "lariat.core"
local is_callable = require "lariat.train.callable"
local options = require "lariat.options"

local compile = {}

local Compiled = core.compiled_methods

local function each(self, to, line)
  local plans = self:plans()
  to = to or io.stdout
  if type(to) ~= "userdata" and type(to) ~= "table" then
    error("compile: plans are printed to an open file, not to a " .. type(to), 3)
  end
  if #plans == 0 then to:write "no plan yet: the third call of a kind makes the first\n" end
  for i, plan in ipairs(plans) do
    to:write(("plan %d: %d kernels, %d bytes of buffers\n"):format(i, #plan, plan.bytes))
    for k, kernel in ipairs(plan) do to:write(line(k, kernel), "\n") end
  end
end

--- Prints the kernels of each plan: what is run, the shape of what it writes, the bytes that it
-- reads and writes.
-- @function Compiled:print
-- @tparam[opt] file to  standard output unless given
-- @usage
-- local f = lariat.compile(function(x) return (x * x):sum() end)
-- f:print(io.tmpfile())
function Compiled:print(to)
  each(self, to, function(k, kernel)
    return ("%4d  %-24s %-16s %10d bytes"):format(k, kernel.name, kernel.shape, kernel.bytes)
  end)
end

--- Prints the time of a run of each kernel since the last call of `profile`, which starts the
-- measurement.
-- @function Compiled:profile
-- @tparam[opt] file to  standard output unless given
-- @usage
-- local f = lariat.compile(function(x) return x:exp():sum() end)
-- f:profile(io.tmpfile())
function Compiled:profile(to)
  each(self, to, function(k, kernel)
    local us = kernel.runs > 0 and kernel.seconds / kernel.runs * 1e6 or 0
    return ("%4d  %-24s %-16s %10d bytes %10.2f us %6d runs"):format(k, kernel.name,
      kernel.shape, kernel.bytes, us, kernel.runs)
  end)
  self:measure(true)
end

local KNOWN = { "dynamic" }

--- A function that does what `fn` does, from a plan.
-- @function compile
-- @tparam function fn  takes tensors (and numbers, strings, booleans), returns tensors
-- @tparam[opt] table opts  `dynamic = true`: never a plan, for functions whose Lua code decides
-- by the elements of tensors what to do
-- @treturn Compiled
-- @raise at a call: where `fn` reads elements as numbers (`item()`, `x[i]`, `x < y`), leaves
-- gradients in tensors outside, or does something else each time; errors of `fn` as they are
-- @usage
-- local f = lariat.compile(function(x, y) return ((x - y) ^ 2):mean() end)
-- for _ = 1, 3 do assert(f(lariat.ones(3), lariat.zeros(3)):item() == 1) end
function compile.compile(fn, opts)
  opts = options.check("compile", opts, KNOWN)
  if not is_callable(fn) then
    error("compile: the first argument must be a function, not a " .. type(fn), 2)
  end
  if type(opts.dynamic or false) ~= "boolean" then
    error("compile: dynamic must be true or false, not a " .. type(opts.dynamic), 2)
  end
  return core.compile(fn, opts.dynamic)
end

return compile
