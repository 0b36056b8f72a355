-- Losses made of parabolas and lines: from piece to piece, the same optimum as by other ways,
-- in about as many steps as pieces change.
local lariat = require "lariat"

local P = lariat.penalty
local f64 = { dtype = "float64" }

local function problem(n, p)
  lariat.seed(3)
  local x, w = lariat.randn(n, p, f64), lariat.zeros(p, f64)
  for j = 1, math.min(p, 9) do w[j] = (-1) ^ j * j / 4 end
  local noise = lariat.randn(n, f64)
  return x, x:mv(w) + noise * noise:abs()
end

local function sum(list)
  local s = 0
  for _, v in ipairs(list:totable()) do s = s + v end
  return s
end

local FAMILIES = {
  { family = "huber", delta = 0.5 },
  { family = "quantile", tau = 0.4, width = 0.05 },
  { family = "hinge" },
}

-- The ask with these keys over those of the family.
local function asked(family, more)
  local out = {}
  for k, v in pairs(family) do out[k] = v end
  for k, v in pairs(more) do out[k] = v end
  if out.family == "hinge" then out.y = out.y:gt(0):to("float64") end
  return out
end

describe("from piece to piece:", function()
  for _, family in ipairs(FAMILIES) do
    local name = family.family

    it(name .. ": a path is exact, in few steps", function()
      local x, y = problem(80, 100)
      local path = lariat.glm.path(asked(family, { x = x, y = y, lambda_min_ratio = 0.02 }))
      assert.is_true(path.gap:max():item() < 1e-8)
      assert.is_true(sum(path.iterations) < 2000)
      assert.is_true(path.df:max():item() > 40)
    end)

    it(name .. ": where rows are many, steps are Newton's", function()
      local x, y = problem(20000, 12)
      local path = lariat.glm.path(asked(family, { x = x, y = y, n_lambda = 20 }))
      assert.is_true(path.gap:max():item() <= 1e-6)
      assert.is_true(sum(path.iterations) < 1500)
    end)

    it(name .. ": one strength, from nothing", function()
      local x, y = problem(50, 150)
      local fit = lariat.glm.path(asked(family, { x = x, y = y, lambda = { 0.01 } }))
      assert.equal("converged", fit.status[1])
      assert.is_true(fit.gap:item() <= 1e-6)
      assert.is_true(fit.iterations:item() < 1500)
    end)

    local weights = lariat.ones(12, f64)
    weights[2], weights[5] = 0, 3
    local held = lariat.ones(60, f64)
    held[{ { 1, 20 } }] = 0
    local x, y = problem(60, 12)
    local ties = (x * 2):round()
    local twice = x:clone()
    twice[{ {}, 7 }] = x[{ {}, 1 }]
    local cases = {
      { "weights of columns, one of them free", { penalty = P.l1 { weights = weights } } },
      { "elastic net", { penalty = P.elastic_net { l1_ratio = 0.6 } } },
      { "rows held out", { weights = held } },
      { "ties", { x = ties, y = (y * 2):round() } },
      { "one column twice", { x = twice } },
      { "no intercept", { intercept = false } },
      { "an offset", { offset = x[{ {}, 1 }] * 0.3 } },
      { "compressed columns", { x = lariat.sparse.csc(ties) } },
      { "standardised", { x = x * 3 + 1, standardize = true } },
    }
    for _, named in ipairs(cases) do
      local what, case = named[1], named[2]
      it(name .. ": " .. what, function()
        local ask = { x = case.x or x, y = case.y or y, n_lambda = 15, lambda_min_ratio = 0.01 }
        for k, v in pairs(case) do ask[k] = v end
        ask = asked(family, ask)
        local path = lariat.glm.path(ask)
        ask.lambda, ask.n_lambda, ask.lambda_min_ratio = path.lambda, nil, nil
        ask.solver, ask.tol, ask.max_iter = "fista", 1e-9, 200000
        local other = lariat.glm.path(ask)
        local scale = path.value:at(1)
        for l = 1, path.lambda.numel do
          local rest = math.abs(path.value:at(l) - other.value:at(l))
          assert.is_true(rest <= 2e-6 * scale, ("%d: %g of %g"):format(l, rest, scale))
        end
      end)
    end
  end
end)
