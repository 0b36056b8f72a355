--- Checkpoints: a run in a file, from which it goes on to end with the same bits.
--
-- A checkpoint is written after an epoch, to a temporary name that is flushed and renamed, so
-- that at any moment the file is a whole one. It holds weights, buffers, the optimiser's state,
-- all random streams, the early stopper, the history, and the penalty as it prints; no code.
-- @module lariat.train.checkpoint

local core = require "lariat.core"
local options = require "lariat.options"
local fail = require "lariat.train.fail"

local checkpoint = {}

local FORMAT = 1

-- Tables with tensors, as tables that JSON can hold and tensors by name -------------------

local function pack(value, name, tensors)
  if core.is_tensor(value) then
    tensors[name] = value
    return { tensor = name }
  elseif type(value) ~= "table" then
    return value
  end
  local out = {}
  for key, v in pairs(value) do
    out[key] = pack(v, ("%s.%s"):format(name, key), tensors)
  end
  return out
end

local function unpack_tensors(value, tensors)
  if type(value) ~= "table" then return value end
  if value.tensor then return tensors[value.tensor] end
  local out = {}
  for key, v in pairs(value) do out[key] = unpack_tensors(v, tensors) end
  return out
end

-- What JSON can hold of a record: hooks may have put anything into it.
local function plain(record)
  local out = {}
  for key, v in pairs(record) do
    local kind = type(v)
    local held = kind == "number" or kind == "string" or kind == "boolean"
    if held and type(key) == "string" then out[key] = v end
  end
  return out
end

-- Saving ----------------------------------------------------------------------------------

-- By name, and the names in the order of the model.
local function weights(model)
  local out, names = {}, {}
  local function add(name, t) out[name], names[#names + 1] = t, name end
  for name, p in model:parameters() do add(name, p) end
  for name, b in model:buffers() do add(name, b) end
  return out, names
end

local function records(history)
  local out = {}
  for k, record in ipairs(history) do out[k] = plain(record) end
  return out
end

local function content(state, stopper)
  local history = state.history
  return {
    format = FORMAT,
    model = weights(state.model),
    optimizer = state.optimizer:state(),
    penalty = state.penalty and tostring(state.penalty), -- what was minimised, for its readers
    streams = core.streams(),
    stopper = stopper and stopper:state(),
    history = { records = records(history), bases = history.bases, epochs = history.epochs,
      seconds = (history.seconds or 0) + state.fit.seconds, epoch = state.fit.epoch,
      step = state.fit.step, status = state.fit.status, stalled = state.optimizer.stalled },
  }
end

local function save(path, state, stopper)
  local tensors, names, values = {}, {}, {}
  local head = core.json_encode(pack(content(state, stopper), "run", tensors))
  for name in pairs(tensors) do names[#names + 1] = name end
  table.sort(names)
  for k, name in ipairs(names) do values[k] = tensors[name]:detach():contiguous() end
  return core.pack_save(path, names, values, head)
end

local Writer = {}
Writer.__index = Writer

--- What writes the checkpoints that `fit` was asked for; nil for nil.
-- @param given a path, or `{path=, every=1 (epochs), resume=false}`
function checkpoint.writer(given)
  if not given then return nil end
  if type(given) == "string" then given = { path = given } end
  if type(given) ~= "table" then
    fail("checkpoint must be the name of a file or {path=, every=, resume=}, not a %s",
      type(given))
  end
  given = options.check("checkpoint", given, { "path", "every", "resume" }, 0)
  if type(given.path) ~= "string" then
    fail("checkpoint.path must be the name of a file, not a %s", type(given.path))
  elseif given.path == "" then
    fail("checkpoint.path is empty; give the name of a file")
  end
  local every = options.number("checkpoint", given, "every", 1, 1)
  if every % 1 ~= 0 then fail("checkpoint.every = %s must be whole epochs", every) end
  return setmetatable({ path = given.path, every = every, resume = given.resume }, Writer)
end

--- Writes when it is time; a file that cannot be written is a warning, and training goes on.
function Writer:epoch(state, stopper)
  local fit = state.fit
  local last = fit.status ~= "running" or fit.epoch >= state.epochs
  if not last and fit.epoch % self.every ~= 0 then return end
  local ok, why = save(self.path, state, stopper)
  if not ok then io.stderr:write(("checkpoint: %s; training goes on\n"):format(why)) end
end

-- Loading ---------------------------------------------------------------------------------

local function shape_text(t) return "(" .. table.concat(t.shape, ", ") .. ")" end

-- Every weight of the model has its like in the file, and the other way round.
local function compare(path, model, saved)
  local mine, names = weights(model)
  for _, name in ipairs(names) do
    local t, other = mine[name], saved[name]
    if other == nil then
      fail("%s is of another model: it has no '%s' %s", path, name, shape_text(t))
    elseif shape_text(other) ~= shape_text(t) or other.dtype ~= t.dtype then
      fail("%s is of another model: '%s' is %s %s there and %s %s here", path, name,
        other.dtype, shape_text(other), t.dtype, shape_text(t))
    end
  end
  for name, t in pairs(saved) do
    if mine[name] == nil then
      fail("%s is of another model: it has '%s' %s, which is not here", path, name,
        shape_text(t))
    end
  end
  return mine
end

--- Reads a checkpoint; nil and a sentence where there is none.
function checkpoint.read(path)
  local tensors, text = core.pack_read(path)
  if tensors == nil then return nil, text end
  local head = text and core.json_decode(text)
  if not head or head.format ~= FORMAT then
    return nil, path .. ": not a checkpoint of this version"
  end
  local run = unpack_tensors(head, tensors)
  run.path = path
  return run
end

-- A run that had come to its end, whatever more epochs are asked for.
local ENDED = { early_stop = true, converged = true, diverged = true }

--- Puts the run back: weights, the optimiser's state, random streams, the history.
function checkpoint.restore(run, model, optimizer, history)
  local mine, saved = compare(run.path, model, run.model or {}), run.history
  core.no_grad(function()
    for name, t in pairs(mine) do t:copy_(run.model[name]) end
  end)
  optimizer:load_state(run.optimizer)
  for _, s in ipairs(run.streams) do core.stream(s.name, s.key, s.at) end
  for k, record in ipairs(saved.records) do history[k] = record end
  history.bases, history.seconds, history.epochs = saved.bases, saved.seconds, saved.epochs
  history.position = { epoch = saved.epoch, step = saved.step, skip = 0 }
  history.stopper = run.stopper
  return (ENDED[saved.status] or saved.stalled) and saved.status
end

return checkpoint
