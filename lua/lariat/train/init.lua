--- Training: `lariat.fit` and the history it returns.
-- The loop itself is C (`lariat.core.fit`); here is what happens once a call, epoch or hook.
-- @module lariat.train

local core = require "lariat.core"
local metric = require "lariat.metric"
local options = require "lariat.options"

local History = require "lariat.train.history"
local Progress = require "lariat.train.progress"
local State = require "lariat.train.state"
local Stopper = require "lariat.train.early_stop"
local checkpoint = require "lariat.train.checkpoint"
local fail = require "lariat.train.fail"
local is_callable = require "lariat.train.callable"
local read_data = require "lariat.train.data"
local tune = require "lariat.train.tune"

local train = {}

local KNOWN = {
  "loss", "penalty", "optimizer", "epochs", "batch_size", "validation", "metrics", "schedule",
  "early_stop", "on_step", "on_epoch", "seed", "progress", "shuffle", "drop_last", "max_steps",
  "time_limit", "accumulate", "tol", "grad_tol", "gap_tol", "resume", "checkpoint", "dynamic",
  "profile",
}

-- Metrics ---------------------------------------------------------------------------------

local function read_metrics(list)
  local found = {}
  if list ~= nil and type(list) ~= "table" then
    fail("metrics must be a list such as { \"accuracy\" }, not a %s", type(list))
  end
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

-- Fit -------------------------------------------------------------------------------------

-- What the loop measured in an epoch, as a record of the history.
local function make_record(fit, state, metrics)
  local record = fit.record
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
  if given ~= nil and type(given) ~= "string" and not core.optim.is(given) then
    fail("optimizer must be a name or what lariat.optim makes, such as lariat.optim.adam"
      .. " { lr = 1e-3 }, not a %s", type(given))
  end
  if not resume then return core.optim.bind(given or "adam", model, penalty) end
  if penalty then resume.optimizer.penalty = penalty end
  return resume.optimizer
end

-- Rules that look at the whole data make one iteration an epoch.
local function default_epochs(opts, optimizer)
  if opts.resume then return opts.resume.epochs end
  return optimizer.whole and 200 or 10
end

local function check_whole(config)
  for _, key in ipairs { "epochs", "batch_size", "max_steps", "accumulate" } do
    local v = config[key]
    if v and v % 1 ~= 0 and v ~= math.huge then fail("%s = %s must be whole", key, v) end
  end
end

local function read_numbers(config, opts, optimizer)
  local function number(key, default, lo)
    return options.number("fit", opts, key, default, lo)
  end
  config.epochs = number("epochs", default_epochs(opts, optimizer), 0)
  config.max_steps = number("max_steps", nil, 1)
  config.accumulate = number("accumulate", 1, 1)
  if optimizer.whole and config.accumulate > 1 then
    fail("%s looks at the whole data at once; accumulate is for steps", optimizer.rule)
  end
  config.time_limit = number("time_limit", nil, 0)
  config.tol, config.grad_tol = number("tol", nil, 0), number("grad_tol", nil, 0)
  config.gap_tol = number("gap_tol", nil, 0)
  local rows = config.x and math.max(#config.x, 1)
  config.batch_size = number("batch_size", optimizer.full_batch and rows or 32, 1)
  check_whole(config)
  if config.epochs == math.huge then config.epochs = 2 ^ 53 end
  if config.batch_size == math.huge then config.batch_size = rows end
  local seed = number("seed")
  if seed and math.tointeger(seed) == nil then fail("seed = %s must be whole", seed) end
  config.shuffle, config.drop_last = opts.shuffle, opts.drop_last
  config.dynamic, config.profile = opts.dynamic, opts.profile
end

-- The loop starts over in the middle of the epoch that was cut short, with its shuffling.
local function read_resume(config, resume)
  local at, last = resume.position, resume[#resume]
  config.epoch, config.step, config.skip = at.epoch, at.step, at.skip
  config.former = last and last.objective
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
  if #moves > 0 then config.before_step = function() tune.move(moves, state) end end
  if opts.on_step then config.after_step = function() opts.on_step(state) end end
  if show then config.progress = function() show:step(state) end end
  function config.epoch_end()
    local history, fit = state.history, state.fit
    local record = make_record(fit, state, parts.metrics)
    local partial, batches = history.partial, fit.batches
    history.partial = batches > 0 and fit.batch < batches or nil
    history[partial and #history or #history + 1] = record
    state.record = record
    if stopper and fit.status ~= "diverged" and stopper:look(record, state.model)
      and fit.status == "running" then
      fit.status = "early_stop"
    end
    if show then show:epoch(state, record) end
    if opts.on_epoch then opts.on_epoch(state) end
    state.record = nil
    if parts.writer and not history.partial then parts.writer:epoch(state, stopper) end
  end
end

local function check_hooks(opts)
  for _, key in ipairs { "on_step", "on_epoch" } do
    if opts[key] ~= nil and not is_callable(opts[key]) then
      fail("%s must be a function, not a %s", key, type(opts[key]))
    end
  end
end

-- Whether a function of the user's is called between steps, where gradients can be read.
local function may_look(opts)
  local looks = opts.on_epoch ~= nil
  for _, given in ipairs { opts.metrics or {}, opts.schedule or {} } do
    for _, fn in pairs(given) do looks = looks or type(fn) == "function" end
  end
  return looks
end

-- Everything the user asked for, as what the loop reads and what hooks see.
local function prepare(model, data, opts, history)
  local resume = opts.resume
  local state = setmetatable({ model = model, history = history }, State)
  local config = { model = model, loss = read_loss(opts.loss or resume and resume.loss or nil) }
  local dtype = model_dtype(model)
  check_hooks(opts)
  local optimizer = read_optimizer(opts.optimizer, model, opts.penalty, resume)
  config.optimizer, state.optimizer = optimizer, optimizer
  read_data(config, data, opts, dtype, state)
  read_numbers(config, opts, optimizer)
  state.epochs, state.max_steps = config.epochs, config.max_steps
  local metrics = read_metrics(opts.metrics)
  config.keep_train = #metrics > 0
  config.keep_val = #metrics > 0 and config.val_x ~= nil
  local parts = {
    writer = checkpoint.writer(opts.checkpoint), metrics = metrics,
    moves = tune.read(opts.schedule, optimizer, model, history.bases),
    stopper = opts.early_stop and Stopper.new(opts.early_stop),
    progress = Progress.new(opts, metrics),
  }
  config.keep_gradients = may_look(opts)
  install(config, state, opts, parts)
  return config, state, parts
end

-- The model ends with its averages when there are any; a resumed run starts without.
local function finish(history, model, fit, parts, ended)
  history.status, history.plan, history.kernels = ended or fit.status, fit.plan, fit.kernels
  local stalled = history.optimizer.whole and history.optimizer.stalled
  if ended == "stopped" or (fit.status == "stopped" and stalled) then
    history.reason = "no step lowers the objective any more"
  end
  history.seconds = (history.seconds or 0) + fit.seconds
  keep_position(history, fit)
  history.optimizer:swap_ema()
  local stopper = parts.stopper
  if stopper then history.best_epoch = stopper:finish(model) or nil end
end

-- The run to go on with: a history, or what a checkpoint holds.
local function find_resume(opts)
  local resume, writer = opts.resume, checkpoint.writer(opts.checkpoint)
  if resume == nil and writer and writer.resume then
    return nil, (checkpoint.read(writer.path))
  elseif type(resume) == "string" then
    local saved, why = checkpoint.read(resume)
    if not saved then fail("resume: %s", why) end
    return nil, saved
  end
  if resume and (getmetatable(resume) ~= History or not resume.position) then
    fail("resume takes the history that an earlier fit returned, or the path of a checkpoint, "
      .. "not a %s", type(resume))
  end
  return resume
end

-- Puts everything where the run to go on with was; the status of one that had ended.
local function go_on(config, state, parts, resume, saved)
  local history, ended = state.history, nil
  if saved then
    ended = checkpoint.restore(saved, state.model, config.optimizer, history)
    if parts.stopper and history.stopper then parts.stopper:load_state(history.stopper) end
    if ended then config.epochs = history.position.epoch end
  elseif resume then
    history.optimizer:swap_ema()
  end
  if saved or resume then read_resume(config, history) end
  return ended
end

local function run(model, data, opts)
  local resume, saved = find_resume(opts)
  opts = setmetatable({ resume = resume or false }, { __index = opts })
  local bases = saved and saved.history.bases or {}
  local history = resume or setmetatable({ bases = bases }, History)
  local config, state, parts = prepare(model, data, opts, history)
  local ended = go_on(config, state, parts, resume, saved)
  if not (resume or saved) and opts.seed then core.seed_streams(opts.seed) end
  history.status, history.reason = nil, nil
  history.optimizer, history.loss, history.epochs = config.optimizer, config.loss, config.epochs
  local ok, fit = pcall(core.fit, config, state)
  if parts.progress then parts.progress:close() end
  if not ok then error(fit, 0) end
  finish(history, model, fit, parts, ended)
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
-- penalty; optimizer (adam); epochs (10; 200 for rules that look
-- at the whole data, such as `lbfgs`); batch_size (32; all rows for `gd` and those); shuffle
-- (true);
-- drop_last (false); validation: data or a share of the rows; metrics: list of names or
-- functions, or `{name = function}`; schedule: `{lr = ..., momentum = ..., ["penalty.l1"] =
-- ..., dropout = ...}`; early_stop: `{monitor="val_loss", patience=5, min_delta=0,
-- restore_best=true}`; on_step, on_epoch: `function(state)`; seed; progress (on a terminal);
-- max_steps; accumulate (1): batches whose gradients make one step, as one batch of all their
-- rows would; time_limit (seconds); tol: stop as "converged" when the objective of an epoch
-- changes relatively by no more; grad_tol: when the gradient's norm is no larger; gap_tol: when
-- the duality gap is no larger a share of the objective; resume: the history of a run to go
-- on with, or the path of a checkpoint; checkpoint: a path, or `{path=, every=1 (epochs),
-- resume=false}`: where to keep the run on disk, and whether to go on with what is there. A run
-- that was killed and resumed ends with the same bits.
--
-- A gap is an upper bound of how far the objective is above its minimum, taken after every
-- epoch in one pass over the data. It is known for one `linear` layer, the mean of a convex
-- loss (mse, huber, bce_with_logits, cross_entropy without a bias, ...) and a penalty on its
-- weight: sums of `l1`, `l2` and `elastic_net`, or one norm such as `group_lasso`. For all else
-- there is `grad_tol`; and rules for whole data end by their own `tol`, with a gap_tol or
-- without: the norm of the gradient, of `owlqn` the generalised one, of `fista` and `svrg` the
-- proximal one.
--
-- Steps of one kind (shapes, settings of layers, penalties, numbers that Lua code of the step
-- reaches) are traced and then run by a plan, to the same bits and without calling Lua; what
-- Lua code does there besides operations on tensors is not repeated. `history.plan` is "plan",
-- or "eager: ..." with the reason why the steps ran operation by operation. `dynamic = true`
-- looks for no plan, of penalties in Lua neither: for Lua code that decides by the elements of
-- tensors what to do, or by what changes out of sight.
-- `profile = true` notes the time of every kernel, for `history:profile()`.
-- @treturn history a list of records `epoch step loss penalty objective lr seconds`,
-- `penalty_<term>`, `gap` with gap_tol, `val_loss`, metrics and `val_<metric>`;
-- `history.status` is "max_epochs", "early_stop", "converged", "stopped", "interrupted",
-- "diverged" or "time_limit". `loss` is
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
