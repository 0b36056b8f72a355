-- Operations against PyTorch in float64: values, dtypes, gradients, Hessian-vector products.
-- Figures and command: spec/fixtures/torch_ops.py.

local lariat = require "lariat"
local near = require "spec.support.near"

local cases = dofile "spec/fixtures/torch_ops.lua"

-- The pieces of a split, whether they came as a list or as several values.
local function list(first, ...)
  if type(first) == "table" then return first end
  return { first, ... }
end

-- What a body may name: these, and the modules of lariat (`linalg`).
local NAMES = setmetatable({ lariat = lariat, list = list, math = math }, { __index = lariat })

-- The function of a, b, c that a body stands for.
local function compile(case)
  local body = case.lua:find("return", 1, true) and case.lua or "return " .. case.lua
  local source = "local a, b, c = ...; " .. body
  return assert(load(source, "=" .. case.name, "t", NAMES))
end

local function inputs(case, requires_grad)
  local list_of, floats = {}, {}
  for i, values in ipairs(case.inputs) do
    local dtype = case.kinds and case.kinds[i] or "float64"
    local float = dtype == "float64"
    local options = { dtype = dtype, requires_grad = float and requires_grad }
    list_of[i] = lariat.tensor(values, options)
    if float then floats[#floats + 1] = list_of[i] end
  end
  return list_of, floats
end

local function outputs(case, xs)
  return { compile(case)(table.unpack(xs)) }
end

-- sum_k sum(c_k * out_k) over the outputs that carry gradients.
local function scalar(case, xs)
  local f = 0
  for i, out in ipairs(outputs(case, xs)) do
    if case.dtypes[i] == "float64" then
      f = f + (out * lariat.tensor(case.c[i], { dtype = "float64" })):sum()
    end
  end
  return f
end

local function check(actual, expected, what)
  near.check(actual, expected, { rel = 1e-10, abs = 1e-10, what = what })
end

-- A gradient: nil stands for zeros where the output does not depend on the input.
local function check_all(got, expected, what)
  for i = 1, #expected do
    check(got[i] == nil and near.zeros(expected[i]) or got[i], expected[i], what .. " " .. i)
  end
end

local function values(case)
  it(case.name, function()
    local outs = outputs(case, (inputs(case)))
    for i, expected in ipairs(case.outs) do
      near.check(outs[i], expected, { rel = 1e-12, abs = 1e-12, what = "output " .. i })
      if type(outs[i]) == "userdata" then
        assert.equal(case.dtypes[i], outs[i].dtype, "dtype of output " .. i)
      end
    end
  end)
end

local function first(case)
  it(case.name .. ": gradient", function()
    local xs, floats = inputs(case, true)
    check_all(lariat.grad(scalar(case, xs), floats), case.grad, "gradient")
  end)
end

local function second(case)
  it(case.name .. ": Hessian times a vector", function()
    local xs, floats = inputs(case, true)
    local g = lariat.grad(scalar(case, xs), floats, { create_graph = true })
    local s = 0
    for i = 1, #floats do
      s = s + (g[i] * lariat.tensor(case.v[i], { dtype = "float64" })):sum()
    end
    local h = {}
    if s.requires_grad then h = lariat.grad(s, floats) end
    check_all(h, case.hvp, "hvp")
  end)
end

describe("an operation agrees with PyTorch:", function()
  local before
  setup(function()
    before = lariat.default_dtype()
    lariat.default_dtype("float64")
  end)
  teardown(function() lariat.default_dtype(before) end)

  for _, case in ipairs(cases) do
    values(case)
    if case.grad then first(case) end
    if case.hvp then second(case) end
  end
end)
