-- lambda_max of every entry that has one, against bisection on its prox.
local lariat = require "lariat"
local near = require "spec.support.near"

local P = lariat.penalty
local F64 = { dtype = "float64" }

local function tensor(values) return lariat.tensor(values, F64) end

-- What an entry needs besides lambda; several where parameters matter.
local needs = {
  elastic_net = { { l1_ratio = 0.3 } }, log_sum = { { eps = 0.4 } },
  slope = { {}, { sequence = "oscar" } },
  group_lasso = { { by = "input" }, { by = "output", weights = tensor { 1, 3, 0.5, 2 } } },
  sparse_group_lasso = { { by = "input" }, { by = "output", l1_ratio = 0 },
    { by = "output", l1_ratio = 1 }, { by = "input", l1_ratio = 0.8 } },
  group_mcp = { { by = "output" } }, group_scad = { { by = "input" } },
  group_linf = { { by = "input" }, { groups = { { 1, 4, 7 }, { 2, 3 } } } },
  tree_group = { { groups = { { 1, { 2, 3, { 4, 5 } }, { 6, 7 } }, { 8, { 9, 10 } } } } },
  overlap_group_lasso = { { groups = { { 1, 2, 3 }, { 3, 4, 5 }, { 5, 6, 1 } } } },
  trend_filter = { { order = 0 }, { order = 1 }, { order = 3 } },
  fused_lasso = { {}, { l1_ratio = 0 }, { l1_ratio = 1 }, { l1_ratio = 0.1 } },
}

-- The least strength whose prox of a gradient step from 0 costs nothing.
local function bisect(make, g, step)
  local unit = make(1)
  local function free(l)
    return unit:value(make(l):prox(g * -step, step)) < 1e-10 * step
  end
  local lo, hi = 0, 1
  while not free(hi) do lo, hi = hi, 2 * hi end
  for _ = 1, 45 do
    local mid = (lo + hi) / 2
    if free(mid) then hi = mid else lo = mid end
  end
  return hi
end

describe("lambda_max", function()
  lariat.seed(3)
  local g = lariat.randn(4, 6, F64)
  local count = 0

  for _, entry in ipairs(P.entries()) do
    for k, o in ipairs(needs[entry.name] or { {} }) do
      local function make(lambda)
        local own = { lambda = lambda }
        for key, v in pairs(o) do own[key] = v end
        return P[entry.name](own)
      end
      local ok, most = pcall(function() return make(1):lambda_max(g) end)
      if ok then
        count = count + 1
        it(("of %s (%d) is that of bisection"):format(entry.name, k), function()
          near.check(most, bisect(make, g, entry.convex and 1 or 1e-3), { rel = 1e-7 })
          near.check(make(7):lambda_max(-2 * g), 2 * most, { rel = 1e-9 })
          near.check(make(1):lambda_max(g:float()), most, { rel = 1e-5 })
        end)

        it(("of %s (%d) is 0 of nothing, and NaN of NaN"):format(entry.name, k), function()
          assert.equal(0, make(1):lambda_max(g * 0))
          local bad = g:clone()
          bad[1][2] = 0 / 0
          local l = make(1):lambda_max(bad)
          assert.is_true(l ~= l)
          if not o.groups then
            assert.equal(0, make(1):lambda_max(lariat.zeros(4, 0, F64)))
          end
        end)
      end
    end
  end

  it("exists for norms, folded concave penalties and differences", function()
    assert.is_true(count >= 28, tostring(count))
  end)

  it("of differences is a matter of rows less their polynomials", function()
    local line = lariat.arange(1, 6, 1, F64):view(1, 6):expand(4, 6)
    local trend = P.trend_filter { order = 1 }
    near.check(trend:lambda_max(g + 3 * line - 1), trend:lambda_max(g), { rel = 1e-12 })
    near.check(P.tv1d():lambda_max(g + 7), P.tv1d():lambda_max(g), { rel = 1e-12 })
    near.check(P.tv2d():lambda_max(g - 5), P.tv2d():lambda_max(g), { rel = 1e-9 })
    assert.equal(0, P.trend_filter { order = 4 }:lambda_max(tensor { 1, -5, 2, 0, 3 }))
  end)

  it("of long rows keeps its digits", function()
    local v = lariat.randn(300, F64)
    for order = 0, 2 do
      local function make(l) return P.trend_filter { lambda = l, order = order } end
      local most = make(1):lambda_max(v)
      local function left(l) return make(1):value(make(l):prox(v, 1)) end
      assert.is_true(left(most * (1 + 1e-6)) < 1e-4 * left(most / 2))
      assert.is_true(left(most * (1 - 1e-3)) > 1e-4 * left(most / 2))
    end
  end)

  it("of a trend is the largest multiplier", function()
    local n = 40
    local v, d = lariat.randn(n, F64), lariat.eye(n, F64)
    for order = 0, 5 do
      local rows = n - order - 1 -- D' z = v - its polynomial
      d = d[{ { 2, -1 } }] - d[{ { 1, -2 } }]
      local z = lariat.linalg.solve(d:matmul(d:t()), d:matmul(v:view(n, 1)))
      assert.equal(rows, z.numel)
      near.check(P.trend_filter { order = order }:lambda_max(v), z:abs():max():item(),
        { rel = 1e-6 })
    end
  end)
end)
