--- Training: `lariat.fit` and the history it returns.
-- The loop itself is C (`lariat.core.fit`); here is what happens once a call, epoch or hook.
-- @module lariat.train

local core = require "lariat.core"
local metric = require "lariat.metric"
local options = require "lariat.options"

local train = {}

local KNOWN = {
  "loss", "penalty", "optimizer", "epochs", "batch_size", "validation", "metrics", "schedule",
  "early_stop", "on_step", "on_epoch", "seed", "progress", "shuffle", "drop_last", "max_steps",
  "time_limit", "tol", "grad_tol", "resume",
}

local function fail(...) error("fit: " .. string.format(...), 0) end

-- History ---------------------------------------------------------------------------------

local History = {}
History.__index = History

--- The last record, or nil.
-- @function history:last
-- @treturn ?table
-- @usage print(history:last().loss)
function History:last() return self[#self] end

--- The record in which a value was best.
-- @function history:best
-- @tparam[opt="val_loss"] string name  accuracies are best when large, losses when small
-- @treturn ?table record
-- @treturn ?number its epoch
-- @usage print(history:best("val_loss").epoch)
function History:best(name)
  name = name or "val_loss"
  local sign = metric.larger_is_better[name:gsub("^val_", "")] and -1 or 1
  local best
  for _, record in ipairs(self) do
    local v = record[name]
    if v and v == v and (not best or sign * v < sign * best[name]) then best = record end
  end
  return best, best and best.epoch
end

--- One value of every epoch as a float64 tensor; NaN where it is missing.
-- @function history:column
-- @tparam string name
-- @treturn Tensor (epochs)
-- @usage print(history:column("loss"):min())
function History:column(name)
  local values = {}
  for i, record in ipairs(self) do values[i] = record[name] or 0 / 0 end
  return core.tensor(values, { dtype = "float64" })
end

--- Draws losses against epochs: see `lariat.plot.lines`.
-- @function history:plot
-- @tparam[opt] string path  an .svg or .png file; the terminal otherwise
-- @usage history:plot()
function History:plot(path)
  local curves = {}
  for _, name in ipairs { "loss", "val_loss", "objective" } do
    local last = self[#self]
    if last and last[name] and (name ~= "objective" or last.penalty ~= 0) then
      curves[#curves + 1] = { y = self:column(name), label = name }
    end
  end
  return require "lariat.plot".lines { curves, path = path, xlabel = "epoch" }
end

function History:__tostring()
  local last = self[#self]
  local text = ("history: %d epochs, %s"):format(#self, self.status)
  if not last then return text end
  text = text .. (", loss %.6g"):format(last.loss)
  if last.val_loss then text = text .. (", val_loss %.6g"):format(last.val_loss) end
  return text .. (", %.2f s"):format(self.seconds or 0)
end

-- Data ------------------------------------------------------------------------------------

local function tensor(what, value, dtype)
  if value == nil then return nil end
  if not core.is_tensor(value) then
    if type(value) ~= "table" then fail("%s must be a tensor, not a %s", what, type(value)) end
    value = core.tensor(value)
  end
  value = value:detach()
  local other = dtype and value.dtype ~= dtype and value.dtype:match "^float"
  return other and value:to(dtype) or value
end

local function rows_agree(what, d)
  for _, key in ipairs { "y", "weight" } do
    local t = d[key]
    if t and (t.ndim == 0 or #t ~= #d.x) then
      fail("%s%s has %s rows, %sx has %d", what, key, t.ndim > 0 and #t or "no", what, #d.x)
    end
  end
end

-- {x=, y=, weight=} or a data set, as tensors of the model's dtype.
local function whole(what, data, dtype)
  if type(data) ~= "table" or data.x == nil then
    fail("%s must be {x=, y=}, a data set or a function(epoch), not a %s", what, type(data))
  end
  local d = {
    x = tensor(what .. ".x", data.x, dtype), y = tensor(what .. ".y", data.y, dtype),
    weight = tensor(what .. ".weight", data.weight, dtype),
  }
  if d.x.ndim == 0 then fail("%s.x is a scalar; it has no rows", what) end
  if d.weight and d.weight.ndim ~= 1 then fail("%s.weight must have one dimension", what) end
  rows_agree(what .. ".", d)
  return d
end

local function is_callable(f)
  if type(f) == "function" then return true end
  local mt = getmetatable(f)
  return type(mt) == "table" and mt.__call ~= nil
end

-- Batches from a Lua iterator: `begin` and `next` for the loop.
local function stream(config, make, dtype)
  local iterator, invariant, control
  function config.begin(epoch)
    iterator, invariant, control = make(epoch)
    if not is_callable(iterator) then
      fail("the data function gave a %s for epoch %d, not an iterator", type(iterator), epoch)
    end
  end
  function config.next()
    local a, b, c = iterator(invariant, control)
    control = a
    if a == nil then return nil end
    if type(a) == "table" and not core.is_tensor(a) then a, b, c = a.x, a.y, a.weight end
    local d = whole("batch", { x = a, y = b, weight = c }, dtype)
    return d.x, d.y, d.weight
  end
end

-- A fraction of the rows held out, shuffled by the seed.
local function hold_out(d, share, seed)
  if not (share > 0 and share < 1) then
    fail("validation = %s must be a data set or a share of the rows in (0, 1)", share)
  end
  local n = #d.x
  local held = math.max(1, math.floor(n * share + 0.5))
  if held >= n then fail("validation = %s leaves nothing of %d rows to train on", share, n) end
  local key, at = core.stream("sample")
  if seed then core.seed_stream("sample", seed) end
  local order = core.randperm(n)
  core.stream("sample", key, at)
  local function pick(from, to)
    local ids, out = order[{ { from, to } }], {}
    for name, t in pairs(d) do out[name] = t[ids] end
    return out
  end
  return pick(held + 1, n), pick(1, held)
end

-- Metrics ---------------------------------------------------------------------------------

local function read_metrics(list)
  local found = {}
  for i, which in ipairs(list or {}) do
    local fn, name = metric.find(which)
    found[#found + 1] = { name = type(which) == "string" and name or "metric" .. i, fn = fn }
  end
  for name, fn in pairs(list or {}) do
    if type(name) == "string" then found[#found + 1] = { name = name, fn = metric.find(fn) } end
  end
  table.sort(found, function(a, b) return a.name < b.name end)
  return found
end

local function value_of(m, pred, target)
  local v = m.fn(pred, target)
  if core.is_tensor(v) and v.numel == 1 then v = v:item() end
  return v
end

-- Early stopping --------------------------------------------------------------------------

local function snapshot(model)
  local copy = {}
  for name, p in model:parameters() do copy[name] = p:detach():clone() end
  for name, b in model:buffers() do copy[name] = b:detach():clone() end
  return copy
end

local function restore(model, copy)
  core.no_grad(function()
    for name, p in model:parameters() do p:copy_(copy[name]) end
    for name, b in model:buffers() do b:copy_(copy[name]) end
  end)
end

local Stopper = {}
Stopper.__index = Stopper

function Stopper.new(given)
  if given == true then given = {} end
  if type(given) == "number" then given = { patience = given } end
  given = options.check("early_stop", given,
    { "monitor", "patience", "min_delta", "mode", "restore_best" }, 0)
  local monitor = given.monitor or "val_loss"
  local max = given.mode == "max" or
    given.mode == nil and metric.larger_is_better[monitor:gsub("^val_", "")]
  return setmetatable({
    monitor = monitor, sign = max and -1 or 1, best = math.huge, wait = 0,
    patience = options.number("early_stop", given, "patience", 5, 0),
    delta = options.number("early_stop", given, "min_delta", 0, 0),
    restore = given.restore_best ~= false,
  }, Stopper)
end

-- True when it is time to stop.
function Stopper:look(record, model)
  local v = record[self.monitor]
  if type(v) ~= "number" then
    local there = {}
    for k, x in pairs(record) do if type(x) == "number" then there[#there + 1] = k end end
    table.sort(there)
    fail("early_stop: nothing called '%s' to monitor; there are %s", self.monitor,
      table.concat(there, ", "))
  end
  if self.sign * v < self.best - self.delta then
    self.best, self.wait, self.epoch = self.sign * v, 0, record.epoch
    if self.restore then self.weights = snapshot(model) end
    return false
  end
  self.wait = self.wait + 1
  return self.wait >= self.patience
end

-- Schedules -------------------------------------------------------------------------------

-- The setting of the stochastic layers of a kind ("dropout": their p), as base and setter.
local function layer_setter(model, kind)
  local layers, field = {}, nil
  model:apply(function(m)
    if m.kind ~= kind then return end
    for _, name in ipairs { "p", "std" } do
      if pcall(function() return m[name] end) then field = name end
    end
    layers[#layers + 1] = m
  end)
  if not field then return nil end
  return layers[1][field], function(v)
    for _, m in ipairs(layers) do m[field] = v end
  end
end

-- The base value of a hyper-parameter, and a function that sets it.
local function setter(name, optimizer, model)
  local term = name:match "^penalty%.(.+)$"
  if term then
    return optimizer:get_lambda(term), function(v) optimizer:set_lambda(term, v) end
  end
  local known, base = pcall(function() return optimizer[name] end)
  if known and type(base) == "number" then
    return base, function(v) optimizer[name] = v end
  end
  local set
  base, set = layer_setter(model, name)
  if set then return base, set end
  fail("schedule: no hyper-parameter '%s' in the optimiser, the penalty or the layers", name)
end

local function read_schedule(given, optimizer, model, bases)
  local moves = {}
  if given ~= nil and type(given) ~= "table" then
    fail("schedule must be a table { lr = ... }, not a %s", type(given))
  end
  for name, fn in pairs(given or {}) do
    if type(fn) ~= "number" and not is_callable(fn) then
      fail("schedule.%s must be a schedule or a function, not a %s", name, type(fn))
    end
    local base, set = setter(name, optimizer, model)
    bases[name] = bases[name] or base
    moves[#moves + 1] = { name = name, base = bases[name], set = set, fn = fn }
  end
  table.sort(moves, function(a, b) return a.name < b.name end)
  return moves
end

local function move(moves, state)
  for _, m in ipairs(moves) do
    local v = type(m.fn) == "number" and m.fn or m.fn(state, m.base)
    if type(v) ~= "number" or v ~= v then
      fail("schedule.%s returned %s at step %d", m.name, tostring(v), state.step)
    end
    m.set(v)
  end
end

-- State: what hooks see -------------------------------------------------------------------

local State = {}

local LIVE = { epoch = "epoch", step = "step", batch = "batch", loss = "batch_loss",
  steps_per_epoch = "batches" }

-- Steps in the whole run, nil when that cannot be known.
local function total_steps(self, fit)
  local per = fit and fit.batches or 0
  local limit = rawget(self, "max_steps")
  if per == 0 then return limit end
  return math.min(per * self.epochs, limit or math.huge)
end

function State:__index(key)
  local fit, record = rawget(self, "fit"), rawget(self, "record")
  if State[key] then return State[key] end
  if key == "lr" or key == "penalty" then return self.optimizer[key] end
  if key == "total_steps" then return total_steps(self, fit) end
  if record and record[key] ~= nil then return record[key] end
  return fit and LIVE[key] and fit[LIVE[key]]
end

-- `state.lr = ...` and `state.penalty = ...` are those of the optimiser: they act.
function State:__newindex(key, value)
  if key == "lr" or key == "penalty" then
    self.optimizer[key] = value
  else
    rawset(self, key, value)
  end
end

--- Ends the run after this step or epoch, with status "stopped".
-- @function state:stop
-- @tparam[opt] string reason  kept as `history.reason`
-- @usage on_epoch = function(state) if state.val_loss < 0.1 then state:stop "enough" end end
function State:stop(reason)
  self.history.reason = reason
  self.fit.status = "stopped"
end

-- Progress --------------------------------------------------------------------------------

local function clock(seconds)
  if seconds < 60 then return ("%.0f s"):format(seconds) end
  return ("%d:%02d"):format(seconds // 60, math.floor(seconds % 60))
end

local Progress = {}
Progress.__index = Progress

function Progress:line(text)
  io.stderr:write("\r", text, "\27[K")
  self.open = true
end

function Progress:step(state)
  local fit = state.fit
  local done = fit.step - self.first
  local rate = done / math.max(fit.seconds, 1e-9)
  local text = ("epoch %d/%d"):format(fit.epoch, state.epochs)
  local total = state.total_steps
  if fit.batches > 0 then text = text .. ("  step %d/%d"):format(fit.batch, fit.batches) end
  text = text .. ("  loss %.4g  %.0f steps/s"):format(fit.batch_loss, rate)
  if total and rate > 0 then
    text = text .. "  " .. clock(math.max(total - fit.step, 0) / rate) .. " left"
  end
  self:line(text)
end

function Progress:epoch(state, record)
  local text = ("epoch %d/%d  loss %.4g"):format(record.epoch, state.epochs, record.loss)
  if record.val_loss then text = text .. ("  val_loss %.4g"):format(record.val_loss) end
  for _, m in ipairs(self.metrics) do
    local v = record["val_" .. m.name] or record[m.name]
    if type(v) == "number" then text = text .. ("  %s %.4g"):format(m.name, v) end
  end
  self:line(text)
end

function Progress:close()
  if self.open then io.stderr:write "\n" end
end

-- Fit -------------------------------------------------------------------------------------

-- What the loop measured in an epoch, as a record of the history.
local function make_record(fit, state, metrics)
  local record = {
    epoch = fit.epoch, step = fit.step, loss = fit.loss, penalty = fit.penalty,
    objective = fit.objective, lr = state.optimizer.lr, seconds = fit.epoch_seconds,
  }
  for name, value in pairs(fit.terms) do record["penalty_" .. name] = value end
  if fit.val_loss == fit.val_loss then record.val_loss = fit.val_loss end
  for _, m in ipairs(metrics) do
    local pred, target = fit.train_pred, fit.train_y
    if pred and target then record[m.name] = value_of(m, pred, target) end
    if fit.val_pred then record["val_" .. m.name] = value_of(m, fit.val_pred, state.val_y) end
  end
  return record
end

local function model_dtype(model)
  local iterate, s, v = model:parameters()
  local _, p = iterate(s, v)
  if p == nil then fail("the model has no parameters to train") end
  return p.dtype
end

local function read_loss(given)
  if given == nil then fail("loss is missing; for example loss = \"cross_entropy\"") end
  if type(given) == "string" then
    local found, names = core.loss[given], {}
    if found then return found end
    for name in pairs(core.loss) do names[#names + 1] = name end
    fail("unknown loss '%s'; did you mean '%s'?", given, core.nearest(given, names))
  end
  if not is_callable(given) then
    fail("loss must be a name or a function, not a %s", type(given))
  end
  return given
end

local function read_optimizer(given, model, penalty, resume)
  if not resume then return core.optim.bind(given or "adam", model, penalty) end
  if penalty then resume.optimizer.penalty = penalty end
  return resume.optimizer
end

local function read_data(config, data, opts, dtype, state)
  local d
  if is_callable(data) then stream(config, data, dtype)
  else d = whole("data", data, dtype) end
  local v = opts.validation
  if type(v) == "number" then
    if not d then fail("validation = %s needs whole data, not a function", v) end
    d, v = hold_out(d, v, opts.seed)
  elseif v ~= nil then
    v = whole("validation", v, dtype)
  end
  if d then config.x, config.y, config.weight = d.x, d.y, d.weight end
  if v then
    config.val_x, config.val_y, config.val_weight = v.x, v.y, v.weight
    state.val_y = v.y
  end
end

local function read_numbers(config, opts, full_batch)
  local function number(key, default, lo)
    return options.number("fit", opts, key, default, lo)
  end
  config.epochs = number("epochs", opts.resume and opts.resume.epochs or 10, 0)
  config.max_steps = number("max_steps", nil, 1)
  config.time_limit = number("time_limit", nil, 0)
  config.tol, config.grad_tol = number("tol", nil, 0), number("grad_tol", nil, 0)
  local rows = config.x and math.max(#config.x, 1)
  config.batch_size = number("batch_size", full_batch and rows or 32, 1)
  for _, key in ipairs { "epochs", "batch_size", "max_steps" } do
    local v = config[key]
    if v and v % 1 ~= 0 and v ~= math.huge then fail("%s = %s must be whole", key, v) end
  end
  if config.epochs == math.huge then config.epochs = 2 ^ 53 end
  if config.batch_size == math.huge then config.batch_size = rows end
  config.shuffle, config.drop_last = opts.shuffle, opts.drop_last
end

-- The loop starts over in the middle of the epoch that was cut short, with its shuffling.
local function read_resume(config, resume)
  local at = resume.position
  config.epoch, config.step, config.skip = at.epoch, at.step, at.skip
  if at.skip > 0 then core.stream("shuffle", at.shuffle_key, at.shuffle_at) end
end

local function keep_position(history, fit)
  local cut = history.status == "interrupted" or history.status == "time_limit"
    or history.status == "stopped" or history.status == "max_epochs"
  local partial = cut and fit.batches > 0 and fit.batch < fit.batches
  local key, at = fit:shuffle_state()
  history.position = {
    epoch = partial and fit.epoch - 1 or fit.epoch, step = fit.step,
    skip = partial and fit.batch or 0, shuffle_key = key, shuffle_at = at,
  }
end

-- Hooks of the loop, each only when there is something for it to do.
local function install(config, state, opts, parts)
  local moves, stopper, show = parts.moves, parts.stopper, parts.progress
  if #moves > 0 then config.before_step = function() move(moves, state) end end
  if opts.on_step then config.after_step = function() opts.on_step(state) end end
  if show then config.progress = function() show:step(state) end end
  function config.epoch_end()
    local history, fit = state.history, state.fit
    local record = make_record(fit, state, parts.metrics)
    local partial = history.partial
    history.partial = fit.batches > 0 and fit.batch < fit.batches or nil
    history[partial and #history or #history + 1] = record
    state.record = record
    if stopper and fit.status ~= "diverged" and stopper:look(record, state.model)
      and fit.status == "running" then
      fit.status = "early_stop"
    end
    if show then show:epoch(state, record) end
    if opts.on_epoch then opts.on_epoch(state) end
    state.record = nil
  end
end

local function check_hooks(opts)
  for _, key in ipairs { "on_step", "on_epoch" } do
    if opts[key] ~= nil and not is_callable(opts[key]) then
      fail("%s must be a function, not a %s", key, type(opts[key]))
    end
  end
end

local function new_progress(opts, metrics)
  local shown = opts.progress
  if shown == nil then shown = core.is_terminal(2) end
  local first = opts.resume and opts.resume.position.step or 0
  return shown and setmetatable({ metrics = metrics, first = first }, Progress) or nil
end

-- Everything the user asked for, as what the loop reads and what hooks see.
local function prepare(model, data, opts, history)
  local resume = opts.resume
  local state = setmetatable({ model = model, history = history }, State)
  local config = { model = model, loss = read_loss(opts.loss or resume and resume.loss) }
  local dtype = model_dtype(model)
  check_hooks(opts)
  local optimizer = read_optimizer(opts.optimizer, model, opts.penalty, resume)
  config.optimizer, state.optimizer = optimizer, optimizer
  read_data(config, data, opts, dtype, state)
  read_numbers(config, opts, optimizer.full_batch)
  state.epochs, state.max_steps = config.epochs, config.max_steps
  local metrics = read_metrics(opts.metrics)
  config.keep_train = #metrics > 0
  config.keep_val = #metrics > 0 and config.val_x ~= nil
  local parts = {
    metrics = metrics, moves = read_schedule(opts.schedule, optimizer, model, history.bases),
    stopper = opts.early_stop and Stopper.new(opts.early_stop),
    progress = new_progress(opts, metrics),
  }
  install(config, state, opts, parts)
  return config, state, parts
end

-- The model ends with its averages when there are any; a resumed run starts without.
local function finish(history, model, fit, parts)
  history.status = fit.status
  history.seconds = (history.seconds or 0) + fit.seconds
  keep_position(history, fit)
  history.optimizer:swap_ema()
  local stopper = parts.stopper
  if stopper and stopper.weights then
    restore(model, stopper.weights)
    history.best_epoch = stopper.epoch
  end
end

local function run(model, data, opts)
  local resume = opts.resume
  local history = resume or setmetatable({ bases = {} }, History)
  local config, state, parts = prepare(model, data, opts, history)
  if resume then
    history.optimizer:swap_ema()
    read_resume(config, resume)
  elseif opts.seed then
    core.seed_streams(opts.seed)
  end
  history.status, history.reason = nil, nil
  history.optimizer, history.loss, history.epochs = config.optimizer, config.loss, config.epochs
  local ok, fit = pcall(core.fit, config, state)
  if parts.progress then parts.progress:close() end
  if not ok then error(fit, 0) end
  finish(history, model, fit, parts)
  return history
end

-- An error as it came when it names a line of the user's, else at the line of the call.
local function blame(why)
  if type(why) ~= "string" then return why, 0 end
  local ours = why:match "^lariat/[%w_/]+%.lua:%d+: (.*)$"
  if ours or not why:match "^[^\n]-:%d+: " then return ours or why, 2 end
  return why, 0
end

--- Trains a model.
-- Minimises the mean loss plus the penalty, batch by batch. Never raises for a run that goes
-- badly: see `history.status`. Raises for data that does not fit and for hooks that fail; the
-- model then keeps its last whole step.
-- @tparam Module model
-- @param data  `{x=, y=[, weight=]}`, a data set, or `function(epoch)` that returns an
-- iterator of batches (`x, y[, weight]` or `{x=, y=}`)
-- @tparam table opts
-- loss: name, criterion or `function(prediction, target, weight) -> scalar tensor`;
-- penalty; optimizer (adam); epochs (10); batch_size (32; all rows for `gd`); shuffle (true);
-- drop_last (false); validation: data or a share of the rows; metrics: list of names or
-- functions, or `{name = function}`; schedule: `{lr = ..., momentum = ..., ["penalty.l1"] =
-- ..., dropout = ...}`; early_stop: `{monitor="val_loss", patience=5, min_delta=0,
-- restore_best=true}`; on_step, on_epoch: `function(state)`; seed; progress (on a terminal);
-- max_steps; time_limit (seconds); tol: stop as "converged" when the objective of an epoch
-- changes relatively by no more; grad_tol: when the gradient's norm is no larger; resume: the
-- history of a run to go on with.
-- @treturn history a list of records `epoch step loss penalty objective lr seconds`,
-- `penalty_<term>`, `val_loss`, metrics and `val_<metric>`; `history.status` is "max_epochs",
-- "early_stop", "converged", "stopped", "interrupted", "diverged" or "time_limit". `loss` is
-- the mean over the epoch's batches as they were met, and so are penalties of the forward pass
-- (activations, derivatives); those of the parameters are valued after the epoch (in an epoch
-- of one step: before the step, where the loss was measured). `objective` is `loss` plus the
-- sum of all terms. In hooks `state.penalty = ...` adds or replaces terms from the next step on
-- @usage local h = lariat.fit(net, { x = x, y = y }, { loss = "mse", epochs = 5 })
function train.fit(model, data, opts)
  opts = options.check("fit", opts, KNOWN)
  if type(model) ~= "userdata" or not model.parameters then
    error("fit: the first argument must be a model, not a " .. type(model), 2)
  end
  local ok, result = pcall(run, model, data, opts)
  if ok then return result end
  error(blame(result))
end

return train
