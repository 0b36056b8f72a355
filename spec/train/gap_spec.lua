-- The duality gap of a linear model: never below what is left to the minimum, small at it, and
-- an end of a run.
local lariat = require "lariat"

local nn, P = lariat.nn, lariat.penalty

local function data(columns)
  lariat.seed(7)
  local options = { dtype = "float64" }
  local x = lariat.randn(60, 8, options)
  local y = x:matmul(lariat.randn(8, columns or 1, options)) + 0.5
  return { x = x, y = y + lariat.randn(60, columns or 1, options) }
end

local function truths()
  local d = data()
  d.y = d.y:gt(0):to("float64")
  return d
end

local function classes()
  local d = data(3)
  d.y = d.y:argmax(2)
  return d
end

local cases = {
  { "mse, l1", data, 1, "mse", 0.1 * P.l1(), "owlqn" },
  { "mse, l1, by proximal steps", data, 1, "mse", 0.1 * P.l1(), "fista" },
  { "mse, l2", data, 1, "mse", 0.1 * P.l2(), "lbfgs" },
  { "mse, l1 and l2", data, 1, "mse", 0.1 * P.l1() + 0.2 * P.l2(), "owlqn" },
  { "mse, group_lasso", data, 1, "mse", P.group_lasso { lambda = 0.2, by = "input" }, "fista" },
  { "two columns, l1", function() return data(2) end, 2, "mse", 0.05 * P.l1(), "owlqn" },
  { "huber, elastic_net", data, 1, "huber", P.elastic_net { lambda = 0.1 }, "owlqn" },
  { "logistic, l1", truths, 1, "bce_with_logits", 0.02 * P.l1(), "owlqn" },
  { "logistic, elastic_net", truths, 1, "bce_with_logits", P.elastic_net { lambda = 0.05 },
    "fista" },
  { "softmax without a bias, l1", classes, 3, "cross_entropy", 0.02 * P.l1(), "owlqn",
    { bias = false } },
}

local function model(case)
  lariat.seed(3)
  return nn.linear(8, case[3], case[7]):to("float64")
end

local function run(case, options)
  options.loss, options.penalty = case[4], case[5]
  options.optimizer = lariat.optim[case[6]] { tol = 1e-12 } -- does not end the run sooner
  local net = model(case)
  return lariat.fit(net, case[2](), options), net
end

describe("the duality gap", function()
  for _, case in ipairs(cases) do
    it("bounds what is left to the minimum and ends the run: " .. case[1], function()
      local best = run(case, { epochs = 3000 })
      local least = best[#best].objective
      local h = run(case, { epochs = 3000, gap_tol = 1e-7 })
      assert.equal("converged", h.status)
      assert.is_true(h[#h].gap <= 1e-7)
      assert.is_true(#h < #best or #h < 40)
      local known = 0
      for _, record in ipairs(h) do
        local left = (record.objective - least) / record.objective
        if record.gap then
          known = known + 1
          assert(record.gap >= left - 1e-9, ("gap %g, left %g"):format(record.gap, left))
        end
      end
      assert.is_true(known > #h / 2)
    end)
  end

  it("counts weights of samples and a bias that does not learn", function()
    local d = data()
    d.weight = lariat.rand(60, { dtype = "float64" }) + 0.5
    local least
    for _, options in ipairs { {}, { gap_tol = 1e-8 } } do
      local net = model(cases[1])
      net.bias:requires_grad_(false)
      options.loss, options.penalty, options.epochs = "mse", 0.1 * P.l1(), 500
      options.optimizer = lariat.optim.owlqn { tol = 1e-12 }
      local h = lariat.fit(net, d, options)
      if options.gap_tol then assert.equal("converged", h.status) end
      least = least or h[#h].objective
      assert.is_true(h[#h].objective <= least * (1 + 1e-8))
      assert.equal(options.gap_tol ~= nil, h[#h].gap ~= nil)
    end
  end)

  it("is known in float32 and of batches", function()
    local d = data()
    local net = nn.sequential { nn.linear(8, 1) }
    local h = lariat.fit(net, { x = d.x:to("float32"), y = d.y:to("float32") }, {
      loss = "mse", penalty = 0.1 * P.l1(), epochs = 400, gap_tol = 1e-3,
      batch_size = 60, schedule = { lr = lariat.schedule.cosine {} },
      optimizer = lariat.optim.adam { lr = 0.05 },
    })
    assert.equal("converged", h.status)
  end)

  it("says where there is none", function()
    for why, options in pairs {
      ["the model is not one linear layer"] = { net = nn.sequential {
        nn.linear(8, 4), nn.relu(), nn.linear(4, 1) } },
      ["there is no penalty"] = { penalty = false },
      ["the bias has a penalty"] = { penalty = 0.1 * P.l1() + 0.1 * P.l2():on("bias") },
      ["the loss is not known to be convex"] = { loss = function(p, y)
        return (p - y):abs():mean()
      end },
      ["neither a sum of l1, l2 and elastic_net nor one norm"] = {
        penalty = P.mcp { lambda = 0.1 } },
    } do
      local penalty = options.penalty == nil and 0.1 * P.l1() or options.penalty or nil
      local net = options.net or nn.linear(8, 1)
      local ok, message = pcall(lariat.fit, net:to("float64"), data(), {
        loss = options.loss or "mse", optimizer = "fista", gap_tol = 1e-6, penalty = penalty,
      })
      assert.is_false(ok, why)
      assert.is_truthy(tostring(message):find(why, 1, true), tostring(message))
    end
  end)
end)
