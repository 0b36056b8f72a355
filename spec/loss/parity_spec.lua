-- Every loss against PyTorch in float64: values, gradients, Hessian-vector products, with each
-- reduction and with sample weights. Figures and command: spec/fixtures/torch_losses.py.

local lariat = require "lariat"
local near = require "spec.support.near"

local cases = dofile "spec/fixtures/torch_losses.lua"

local function check(actual, expected, what)
  near.check(actual, expected, { rel = 1e-10, abs = 1e-10, what = what })
end

local function tensor(values, dtype)
  return lariat.tensor(values, { dtype = dtype or "float64" })
end

-- The options of one form, or nil where there are none, so that the bare call is tried too.
local function options(case, form)
  local o = {}
  for k, v in pairs(case.options or {}) do o[k] = v end
  for k, v in pairs(case.tensors or {}) do o[k] = tensor(v) end
  if form.reduction ~= "mean" then o.reduction = form.reduction end
  if form.weighted then o.weight = tensor(case.weight) end
  return next(o) and o or nil
end

local function value(case, form, pred)
  local target = tensor(case.target, case.classes and "int64")
  local f = lariat.loss[case.loss]
  local o = options(case, form)
  if o then return f(pred, target, o) end
  return f(pred, target)
end

local function scalar(case, form, pred)
  local v = value(case, form, pred)
  if form.reduction == "none" then return (v * tensor(case.c)):sum() end
  return v
end

local function variable(case)
  return lariat.tensor(case.pred, { dtype = "float64", requires_grad = true })
end

local function label(form)
  return form.reduction .. (form.weighted and ", weighted" or "")
end

local function derivatives(case, form)
  it(label(form) .. ": gradient", function()
    local pred = variable(case)
    check(lariat.grad(scalar(case, form, pred), { pred })[1], form.grad, "gradient")
  end)

  it(label(form) .. ": Hessian times a vector", function()
    local v = tensor(case.v)
    local function f(p) return scalar(case, form, p) end
    check(lariat.hvp(f, variable(case), v), form.hvp, "hvp")
  end)
end

describe("a loss agrees with PyTorch:", function()
  for _, case in ipairs(cases) do
    describe(case.name, function()
      for _, form in ipairs(case.forms) do
        it(label(form) .. ": value", function()
          check(value(case, form, variable(case)), form.value, "value")
        end)
        if form.grad then derivatives(case, form) end
      end

      if case.batchmean then
        it("batchmean: value", function()
          local f = lariat.loss[case.loss]
          local got = f(tensor(case.pred), tensor(case.target), { reduction = "batchmean" })
          check(got, case.batchmean, "value")
        end)
      end
    end)
  end

  it("bce_with_logits takes bool and int64 targets as 0 and 1", function()
    local z = tensor({ 0.3, -1.2, 2.5 })
    local want = lariat.loss.bce_with_logits(z, tensor({ 1, 0, 1 }))
    local int = lariat.tensor({ 1, 0, 1 }, { dtype = "int64" })
    check(lariat.loss.bce_with_logits(z, int), near.plain(want), "int64")
    check(lariat.loss.bce_with_logits(z, int:gt(0)), near.plain(want), "bool")
  end)

  it("weights count as repeated rows", function()
    local p, y = tensor({ { 0.5, -1 }, { 2, 0.25 } }), tensor({ 2, 1 }, "int64")
    local twice = tensor({ { 0.5, -1 }, { 2, 0.25 }, { 2, 0.25 } })
    local labels = tensor({ 2, 1, 1 }, "int64")
    local weighted = lariat.loss.cross_entropy(p, y, { weight = tensor({ 1, 2 }) })
    check(weighted, near.plain(lariat.loss.cross_entropy(twice, labels)), "cross_entropy")
  end)
end)
