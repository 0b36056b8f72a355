-- What holds for every loss: derivatives, reductions, weights, extreme inputs, dtypes, shapes,
-- labels. A new loss is tested the day it lands: without a case here the first test fails.

local lariat = require "lariat"
local core = lariat.core
local near = require "support.near"
local loss = lariat.loss

local F64 = { dtype = "float64" }
local INT = { dtype = "int64" }

local function fails(pattern, fn, ...)
  local ok, message = pcall(fn, ...)
  assert.is_false(ok, "no error")
  assert.is_truthy(tostring(message):find(pattern, 1, true), message)
end

local loss_cases = dofile "spec/loss/cases.lua"
local cases, make = loss_cases.of, loss_cases.make
local CW = make.class_weight

local function with(options, more)
  local all = {}
  for k, v in pairs(options or {}) do all[k] = v end
  for k, v in pairs(more or {}) do all[k] = v end
  return all
end

local function check_derivatives(name, case)
  lariat.seed(3)
  local pred, target = case[1](4)
  for _, reduction in ipairs { "mean", "none" } do
    lariat.check_gradient(function(p)
      local v = loss[name](p, target, with(case[2], { reduction = reduction }))
      return v * (1 + v / 2)
    end, pred, { order = 2 })
  end
end

-- The target's derivative too, where the target is made of real numbers.
local function check_target(name, case)
  lariat.seed(3)
  local pred, target = case[1](4)
  local of = case[1]
  if of == make.real or of == make.shares or of == make.soft or of == make.logs then
    lariat.check_gradient(function(t) return loss[name](pred, t, case[2]) end, target,
      { order = 2 })
  end
end

local function check_weights(name, case)
  lariat.seed(4)
  local pred, target = case[1](3)
  local weight = lariat.tensor({ 2, 0, 3 }, F64)
  local again = lariat.tensor({ 1, 1, 3, 3, 3 }, INT)
  local many, targets = pred:index_select(1, again), target:index_select(1, again)
  for _, reduction in ipairs { "mean", "sum" } do
    local how = with(case[2], { reduction = reduction })
    near.check(loss[name](pred, target, with(how, { weight = weight })),
      near.plain(loss[name](many, targets, how)), { what = reduction })
  end
end

local function check_reductions(name, case)
  lariat.seed(5)
  local pred, target = case[1](4)
  local function value(reduction)
    return loss[name](pred, target, with(case[2], { reduction = reduction }))
  end
  local each = value "none"
  near.check(value "sum", near.plain(each:sum()), { what = "sum" })
  near.check(value "batchmean", each:sum():item() / 4, { what = "batchmean" })
  if not (case[2] and case[2].class_weight) then
    near.check(value "mean", near.plain(each:mean()), { what = "mean" })
  else
    local divisor = CW:index_select(1, target):sum()
    near.check(value "mean", near.plain(each:sum() / divisor), { what = "mean" })
  end
  near.check(loss[name](pred, target, case[2]), near.plain(value "mean"))
  near.check(loss[name](with(case[2], { reduction = "sum" }))(pred, target),
    near.plain(value "sum"), { what = "set beforehand" })
  local unit = with(case[2], { reduction = "none", weight = lariat.ones(4) * 2 })
  near.check(loss[name](pred, target, unit), near.plain(each * 2), { what = "weighed rows" })
end

-- Predictions of every size and sign; values, first and second derivatives stay finite.
local function check_extremes(name, case, dtype)
  lariat.seed(6)
  local _, target = case[1](7)
  local grows = name == "poisson"
  local top = grows and { 0, 1, -1, 40, -40, 80, -80 } or { 0, 1, -1, 100, -1e4, 1e4, -3e6 }
  local pred = lariat.tensor(top, { dtype = dtype }):view(7, 1):expand(7, 3):contiguous()
  pred = pred * lariat.tensor({ 1, -1, 0.5 }, { dtype = dtype })
  if case[1] == make.rates then pred = pred:abs() end
  if case[1] == make.logs or case[1] == make.log_labels then pred = -pred:abs() end
  pred = pred:detach():requires_grad_()
  if target.dtype ~= "int64" then target = target:to(dtype) end
  local value = loss[name](pred, target, with(case[2], { reduction = "none" }))
  assert.is_true(value:isfinite():all():item(), "value")
  local g = lariat.grad(value:sum(), { pred }, { create_graph = true })[1]
  assert.is_true(g:isfinite():all():item(), "gradient")
  if g.requires_grad then
    local h = lariat.grad(g:sum(), { pred })[1]
    assert.is_true(h:isfinite():all():item(), "second derivative")
  end
end

local function check_dtypes(name, case)
  lariat.seed(7)
  local pred, target = case[1](5)
  local single = loss[name](pred:float(), target, case[2])
  assert.equal("float32", single.dtype)
  near.check(single:double(), near.plain(loss[name](pred, target, case[2])),
    { rel = 1e-5, abs = 1e-6 })
end

local function check_text(name)
  local entry = loss[name]
  assert.equal(name, entry.name)
  assert.is_truthy(#entry.doc > 0)
  assert.is_truthy(tostring(entry):find(name .. "{", 1, true))
  assert.is_truthy(tostring(entry):find(entry.doc, 1, true))
end

describe("losses:", function()
  it("each has a case here, and each case a loss", function()
    for name in pairs(core.loss) do assert.is_table(cases[name], name) end
    for name in pairs(cases) do assert.is_truthy(core.loss[name], name) end
  end)

  for name, list in pairs(cases) do
    describe(name, function()
      it("text", function() check_text(name) end)
      for k, case in ipairs(list) do
        local label = " (" .. k .. ")"
        it("derivatives" .. label, function() check_derivatives(name, case) end)
        it("derivatives in the target" .. label, function() check_target(name, case) end)
        it("weights as repeated rows" .. label, function() check_weights(name, case) end)
        it("reductions" .. label, function() check_reductions(name, case) end)
        it("dtypes" .. label, function() check_dtypes(name, case) end)
        for _, dtype in ipairs { "float32", "float64" } do
          it("extremes in " .. dtype .. label, function()
            check_extremes(name, case, dtype)
          end)
        end
      end
    end)
  end
end)

describe("losses where others lose digits:", function()
  it("bce_with_logits of a sure and right answer", function()
    local z = lariat.tensor({ 40, -40 }, F64)
    local each = loss.bce_with_logits(z, lariat.tensor({ 1, 0 }, F64), { reduction = "none" })
    near.check(each, { math.exp(-40), math.exp(-40) }, { rel = 1e-12, abs = 0 })
  end)

  it("the gradient of cross_entropy at a sure and right answer", function()
    local z = lariat.tensor({ { 40, 0 } }, F64):requires_grad_()
    loss.cross_entropy(z, lariat.tensor({ 1 }, INT)):backward()
    near.check(z.grad, { { -math.exp(-40), math.exp(-40) } }, { rel = 1e-12, abs = 0 })
  end)

  it("focal of a sure and wrong answer", function()
    near.check(loss.focal(lariat.tensor({ { -1e4, 0 } }), lariat.tensor({ 1 }, INT)), 1e4)
  end)

  it("kl_div of a distribution with itself is 0", function()
    local p = lariat.randn(3, 4, F64):softmax(2)
    near.check(loss.kl_div(p:log(), p, { reduction = "sum" }), 0, { abs = 1e-12 })
  end)

  it("infinite predictions show, and do not hang", function()
    local z = lariat.tensor { { math.huge, 0 }, { 0 / 0, 1 } }
    local each = loss.cross_entropy(z, lariat.tensor({ 1, 2 }, INT), { reduction = "none" })
    assert.is_true(each:isnan():all():item())
  end)
end)

describe("criteria:", function()
  local z, y = lariat.zeros(2, 3), lariat.tensor({ 1, 3 }, INT)

  it("hold options, show them, and take others in the call", function()
    local huber = loss.huber { delta = 2, reduction = "sum" }
    assert.equal(2, huber.delta)
    assert.equal("sum", huber.reduction)
    assert.equal(1, loss.huber.delta)
    assert.equal("huber{delta=2.0, reduction=sum}: " .. huber.doc, tostring(huber))
    local p, t = lariat.tensor { 0, 5 }, lariat.zeros(2)
    near.check(huber(p, t), 8)
    near.check(huber(p, t, { delta = 1 }), 4.5)
    near.check(huber(p, t), 8)
    near.check(huber { delta = 1 }(p, t), 4.5)
  end)

  it("hold tensors", function()
    local weighed = loss.cross_entropy { class_weight = { 1, 2, 3 } }
    near.check(weighed.class_weight, { 1, 2, 3 })
    near.check(weighed(z, y, { reduction = "none" }), { math.log(3), 3 * math.log(3) },
      { rel = 1e-6 })
  end)

  it("take targets and weights as tables and numbers", function()
    near.check(loss.cross_entropy(z, { 1, 3 }), math.log(3), { rel = 1e-6 })
    near.check(loss.mse(lariat.tensor(3), 1), 4)
    near.check(loss.mse(lariat.tensor { 1, 2 }, { 0, 0 }, { weight = { 1, 0 } }), 1)
  end)

  it("keep the prediction's dtype whatever the target's", function()
    local p = lariat.ones(2)
    assert.equal("float32", loss.mse(p, lariat.zeros(2, F64)).dtype)
    assert.equal("float64", loss.mse(p:double(), lariat.zeros(2)).dtype)
    near.check(loss.mse(p, lariat.zeros(2):long()), 1)
  end)

  local p23, f1 = lariat.ones(2, 3), lariat.ones(32, 1)
  local wrong = {
    { "squared: prediction (32, 1) and target (32) differ in shape", "squared", f1,
      lariat.ones(32) },
    { "mse: prediction (2, 3) and target (2, 1) differ in shape", "mse", p23,
      lariat.ones(2, 1) },
    { "cross_entropy: label 4 in row 2 is not in 1..3", "cross_entropy", p23, { 1, 4 } },
    { "cross_entropy: label 0 in row 1 is not in 1..3", "cross_entropy", p23, { 0, 1 } },
    { "cross_entropy: prediction (2, 3) and labels (3) differ in rows", "cross_entropy", p23,
      { 1, 1, 1 } },
    { "cross_entropy: labels must be int64, not float32; use target:long()",
      "cross_entropy", p23, lariat.ones(2) },
    { "nll: labels must be int64, not float32", "nll", p23, lariat.ones(2) },
    { "nll: labels go with predictions (n, K), not (2)", "nll", lariat.ones(2), { 1, 1 } },
    { "hinge: target 0 in row 2 is not -1 or 1", "hinge", lariat.ones(2), { 1, 0 } },
    { "bce_with_logits: target 2 in row 1 is not in [0, 1]", "bce_with_logits",
      lariat.ones(2), { 2, 1 } },
    { "poisson: target -1 in row 2 is not a number >= 0", "poisson", lariat.ones(2),
      { 1, -1 } },
    { "mse: the prediction is int64; it must be a float tensor", "mse",
      lariat.ones(2):long(), { 1, 2 } },
    { "mse: prediction (0) is empty and has no mean", "mse", lariat.zeros(0),
      lariat.zeros(0) },
    { "mse: the target is missing", "mse", p23 },
    { "mse: the prediction must be a tensor, not number", "mse", 3, 4 },
    { "mse: weight (3) does not go with prediction (2, 3)", "mse", p23, p23,
      { weight = { 1, 2, 3 } } },
    { "mse: weight -1 in row 2 is not a number >= 0", "mse", p23, p23,
      { weight = { 1, -1 } } },
    { "mse: the weights are all zero", "mse", p23, p23, { weight = { 0, 0 } } },
    { "mse: unknown key 'wieght'; did you mean 'weight'?", "mse", p23, p23, { wieght = 1 } },
    { "cross_entropy: unknown key 'smoothing'; did you mean 'label_smoothing'?",
      "cross_entropy", p23, { 1, 1 }, { smoothing = 0.1 } },
    { "cross_entropy: label_smoothing = 2 is outside [0, 1]", "cross_entropy", p23, { 1, 1 },
      { label_smoothing = 2 } },
    { "cross_entropy: class_weight (2) does not go with prediction (2, 3)", "cross_entropy",
      p23, { 1, 1 }, { class_weight = { 1, 2 } } },
    { "mse: reduction = 'avg' must be one of mean, sum, none, batchmean", "mse", p23, p23,
      { reduction = "avg" } },
    { "huber: delta = 0 is outside (0", "huber", p23, p23, { delta = 0 } },
  }
  for _, case in ipairs(wrong) do
    it(case[1], function() fails(case[1], loss[case[2]], case[3], case[4], case[5]) end)
  end

  it("a weight belongs to a call", function()
    fails("unknown key 'weight'", loss.mse, { weight = { 1, 2 } })
  end)

  it("names the nearest of an unknown loss", function()
    fails("lariat.loss has no 'hubber'; there are bce_with_logits", function()
      return loss.hubber
    end)
    fails("mse has no 'delta'", function() return loss.mse.delta end)
  end)
end)
