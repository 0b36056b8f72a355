-- Training by plans: the bits of training op by op, no allocation, and a reason where there is
-- no plan.
local lariat = require "lariat"

local core, nn, optim, P = lariat.core, lariat.nn, lariat.optim, lariat.penalty

local function bytes(x)
  local flat, out = x:detach():to("float64"):reshape(-1), {}
  for k = 1, flat.numel do out[k] = string.pack("d", flat[k]) end
  return table.concat(out)
end

local function data(n)
  lariat.seed(1)
  return { x = lariat.randn(n or 70, 6), y = lariat.randn(n or 70, 2) }
end

local function small()
  return nn.sequential { nn.linear(6, 8), nn.tanh(), nn.linear(8, 2) }
end

-- Everything that a run leaves behind, as one string.
local function traces_of(history, net)
  local out = {}
  for _, record in ipairs(history) do
    for _, key in ipairs { "loss", "penalty", "objective", "val_loss", "mae" } do
      out[#out + 1] = string.pack("d", record[key] or 0)
    end
  end
  for name, p in net:parameters() do out[#out + 1] = name .. bytes(p) end
  for name, p in net:buffers() do out[#out + 1] = name .. bytes(p) end
  for _, stream in ipairs { "dropout", "shuffle", "sample" } do
    out[#out + 1] = tostring(select(2, core.stream(stream)))
  end
  return table.concat(out, "|")
end

-- One run with plans, one without, of a model and options made anew for each.
local function compare(make, make_options, expected, rows)
  local result, history = {}, nil
  for k, dynamic in ipairs { true, false } do
    local set = data(rows)
    lariat.seed(2)
    local net = make()
    local options = { loss = "mse", epochs = 5, batch_size = 16, optimizer = "adam" }
    for key, v in pairs(make_options and make_options(net) or {}) do options[key] = v end
    options.dynamic = dynamic
    history = lariat.fit(net, set, options)
    result[k] = traces_of(history, net)
  end
  assert.is_true(result[1] == result[2], "the plan gave other bits")
  expected = expected or "^plan$"
  assert.is_truthy(history.plan:find(expected), history.plan)
  return history
end

-- y = x w^power, written in Lua.
local function Scale(power)
  return nn.module {
    params = { w = lariat.ones(6) / 2 }, power = power,
    forward = function(self, x) return x * self.w ^ self.power end,
  }
end

describe("training by plans gives the bits of training op by op with", function()
  it("a short last batch, with shuffling and without", function()
    compare(small)
    compare(small, function() return { shuffle = false } end)
    compare(small, function() return { drop_last = true } end)
  end)

  for _, name in ipairs { "sgd", "rmsprop", "lion", "gd" } do
    it(name, function()
      compare(small, function() return { optimizer = name, epochs = 8 } end)
    end)
  end

  for _, name in ipairs { "lbfgs", "owlqn", "fista", "svrg", "newton_cg" } do
    it(name .. ", the whole data at once or in batches", function()
      for _, rows in ipairs { 70, 16 } do
        compare(small, function()
          return {
            optimizer = name, epochs = 8, batch_size = rows, validation = 0.2,
            penalty = P.l2(0.1) + P.activation_l2(0.01),
          }
        end)
      end
    end)
  end

  it("products with the Hessian: noise, layers in Lua, frozen weights, a loss of no curvature",
    function()
      local function newton(more)
        return function(net)
          local options = { optimizer = "newton_cg", epochs = 8, batch_size = 70 }
          for key, v in pairs(more or {}) do options[key] = v end
          if options.freeze then net:freeze(options.freeze) end
          options.freeze = nil
          return options
        end
      end
      compare(function()
        return nn.sequential { nn.linear(6, 8), nn.tanh(), nn.dropout(0.4), nn.linear(8, 2) }
      end, newton())
      compare(function() return nn.sequential { Scale(2), nn.linear(6, 2) } end, newton())
      compare(small, newton { freeze = "1.weight" })
      compare(function() return nn.linear(6, 2) end, newton { loss = "mae" })
      compare(small, newton { optimizer = optim.newton_cg { rounds = 3 }, batch_size = 16,
        penalty = P.l2(0.1) + P.jacobian(0.1) })
    end)

  it("a prox, on the whole data", function()
    for _, name in ipairs { "owlqn", "fista", "svrg" } do
      compare(small, function()
        return { optimizer = name, epochs = 8, penalty = P.l1(0.01) }
      end)
    end
  end)

  it("dropout, noise and normalisations", function()
    compare(function()
      return nn.sequential {
        nn.linear(6, 8), nn.batch_norm(8), nn.relu(), nn.dropout(0.4), nn.gaussian_noise(0.1),
        nn.linear(8, 6), nn.layer_norm(6), nn.relu(), nn.linear(6, 6), nn.group_norm(2, 6),
        nn.relu(), nn.linear(6, 2),
      }
    end)
  end)

  it("spectral and weight norm, residual and parallel", function()
    compare(function()
      return nn.sequential {
        nn.residual(nn.linear(6, 6), nn.tanh()),
        nn.parallel { nn.linear(6, 3), nn.linear(6, 2) },
        nn.weight_norm(nn.linear(5, 4)), nn.spectral_norm(nn.linear(4, 2)),
      }
    end)
  end)

  it("penalties of all sorts", function()
    compare(small, function()
      return { penalty = P.l1(0.01) + P.l2(0.1) + P.max_norm(2), epochs = 6 }
    end)
    compare(small, function()
      return {
        penalty = P.activation_l2(0.1) + P.gradient(0.05) + P.weight_noise(0.02), epochs = 6,
      }
    end)
    compare(small, function()
      local square = P.new { name = "square", value = function(_, w) return (w * w):sum() end }
      return { penalty = 0.01 * square }
    end)
  end)

  it("clipping, averages, validation, metrics and early stopping", function()
    compare(small, function(net)
      return {
        optimizer = optim.adam(net, { lr = 0.01, clip_norm = 0.5, ema = 0.9 }),
        validation = 0.2, metrics = { "mae" }, early_stop = { patience = 2 }, epochs = 12,
      }
    end)
  end)

  it("rows that weigh differently", function()
    local weight = lariat.rand(70) + 0.1
    local result = {}
    for k, dynamic in ipairs { true, false } do
      local set = data()
      set.weight = weight
      lariat.seed(2)
      local net = small()
      result[k] = traces_of(lariat.fit(net, set,
        { loss = "mse", epochs = 4, batch_size = 16, dynamic = dynamic }), net)
    end
    assert.equal(result[1], result[2])
  end)

  it("layers and losses in Lua", function()
    local function lua_net()
      return nn.sequential { Scale(2), nn.linear(6, 2), function(x) return x:tanh() * 2 end }
    end
    compare(lua_net)
    compare(lua_net, function()
      return { loss = function(p, y) return ((p - y):abs() + 0.1):log():mean() end }
    end)
    compare(lua_net, function()
      return { loss = function(p, y) return (p * lariat.rand(p.shape) - y):square():mean() end }
    end)
  end)

  it("schedules of everything", function()
    compare(function()
      return nn.sequential { nn.linear(6, 8), nn.tanh(), nn.dropout(0.5), nn.linear(8, 2) }
    end, function()
      return {
        penalty = P.activation_l2(0.1) + P.l1(0.01), epochs = 8,
        schedule = {
          lr = function(s) return 0.01 / s.epoch end,
          dropout = function(s) return s.epoch < 4 and 0.5 or 0.2 end,
          ["penalty.activation_l2"] = function(s) return s.epoch < 6 and 0.1 or 0.3 end,
        },
      }
    end)
  end)

  it("a number that changes in Lua: captured, a layer's field, in a table", function()
    for _, hook in ipairs { "on_step", "on_epoch" } do
      local alpha, settings, layer
      compare(function()
        layer = Scale(1)
        alpha, settings = 0.5, { deep = { er = 1 } }
        return nn.sequential { layer, nn.linear(6, 2) }
      end, function()
        return {
          epochs = 8,
          loss = function(p, y)
            return ((p - y):square() * alpha + (p - y):abs() * settings.deep.er):mean()
          end,
          [hook] = function(s)
            if s.step == 15 then alpha = 0.25 end
            if s.step == 20 then settings.deep.er = 2 end
            if s.step == 25 then layer.power = 2 end
          end,
        }
      end)
    end
  end)

  it("parameters that are frozen, replaced or converted on the way", function()
    local net
    compare(function()
      net = small()
      return net
    end, function()
      return {
        epochs = 9,
        on_step = function(s)
          if s.step == 12 then net:parameter("1.weight").requires_grad = false end
          if s.step == 22 then net:parameter("1.weight").requires_grad = true end
          if s.step == 30 then
            lariat.no_grad(function() net:parameter("3.bias"):add_(0.5) end)
          end
        end,
      }
    end)
  end)

  it("gradients that a hook keeps", function()
    local kept, net
    compare(function()
      net, kept = small(), {}
      return net
    end, function()
      return {
        on_step = function(s)
          if s.step == 10 then kept.g, kept.b = net:parameter("1.weight").grad, nil end
          if s.step == 10 then kept.b = bytes(kept.g) end
        end,
      }
    end)
    assert.equal(kept.b, bytes(kept.g))
  end)

  it("labels", function()
    lariat.seed(1)
    local x, y = lariat.randn(50, 6), lariat.randint(1, 3, { 50 })
    local result = {}
    for k, dynamic in ipairs { true, false } do
      lariat.seed(2)
      local net = nn.sequential { nn.linear(6, 3) }
      local h = lariat.fit(net, { x = x, y = y },
        { loss = "cross_entropy", epochs = 5, batch_size = 16, dynamic = dynamic })
      result[k] = traces_of(h, net)
    end
    assert.equal(result[1], result[2])
  end)
end)

describe("where a step cannot be a plan, training goes on op by op and says why:", function()
  local function lossy(fn) return function() return { loss = fn } end end

  it("elements read as numbers", function()
    compare(small, lossy(function(p, y)
      local l = (p - y):square():mean()
      if l:item() > 0.5 then return l * 2 end
      return l
    end), "^eager: item%(%)")
  end)

  it("Lua that counts", function()
    local n = 0
    compare(function() n = 0 return small() end, lossy(function(p, y)
      n = n + 1
      return (p - y):square():mean() * (1 + n % 2)
    end), "^eager: ")
    assert.equal(25, n)
  end)

  it("Lua that does something else each time, out of sight", function()
    local hidden = setmetatable({}, {
      __index = function(t) rawset(t, 1, nil) return lariat.rand(1):item() end,
    })
    compare(small, lossy(function(p, y)
      return (p - y):square():mean() * hidden.x
    end), "^eager: ")
  end)

  it("dynamic = true", function()
    local h = lariat.fit(small(), data(), { loss = "mse", epochs = 3, dynamic = true })
    assert.equal("eager: dynamic = true", h.plan)
  end)
end)

describe("a history", function()
  it("lists the kernels of its plan, with their times on demand", function()
    local h = lariat.fit(small(), data(), { loss = "mse", epochs = 5, batch_size = 16 })
    assert.equal("linear + tanh", h.kernels[1].name)
    assert.equal("(16, 8)", h.kernels[1].shape)
    assert.equal(0, h.kernels[1].runs)
    h = lariat.fit(small(), data(), {
      loss = "mse", epochs = 5, batch_size = 16, profile = true,
    })
    assert.equal(20 - 2, h.kernels[1].runs) -- of 20 whole batches two came before the plan
    assert.is_true(h.kernels[1].seconds > 0)
    local to = io.tmpfile()
    h:profile(to)
    to:seek "set"
    assert.is_truthy(to:read "a":find "1  linear %+ tanh +%(16, 8%) +%d+ bytes +[%d.]+ us")
    local _, why = pcall(h.profile, h, "x")
    assert.matches("written to an open file, not to a string", why)
  end)

  it("says why there is no plan", function()
    local h = lariat.fit(small(), data(), { loss = "mse", epochs = 3, dynamic = true })
    assert.equal("eager: dynamic = true", h.plan)
    local to = io.tmpfile()
    h:profile(to)
    to:seek "set"
    assert.is_truthy(to:read "a":find "no plan; eager: dynamic = true")
  end)
end)

describe("a step by plan", function()
  it("needs a parameter that can be trained", function()
    local net = small()
    net:freeze()
    local ok, why = pcall(lariat.fit, net, data(), { loss = "mse" })
    assert.is_false(ok)
    assert.is_truthy(tostring(why):find "every parameter of the model is frozen")
  end)

  it("allocates nothing", function()
    for _, options in ipairs {
      { loss = "mse", optimizer = "sgd" },
      { loss = "mse", optimizer = "adam", penalty = P.l2(0.1) + P.l1(0.01) },
      { loss = function(p, y) return (p - y):abs():mean() end, optimizer = "sgd" },
    } do
      local counts = {}
      options.epochs, options.batch_size = 8, 16
      options.on_step = function(s) counts[s.step] = core.mem_count() end
      lariat.seed(1)
      lariat.fit(nn.sequential { nn.linear(6, 8), nn.dropout(0.2), nn.tanh(), nn.linear(8, 2) },
        data(64), options)
      for k = 18, #counts do
        -- where Lua takes part, the first step of an epoch is traced again
        local again = type(options.loss) == "function" and (k % 4 == 1 or k % 4 == 2)
        if not again then assert.equal(0, counts[k] - counts[k - 1], "step " .. k) end
      end
    end
  end)

  it("fails as it would op by op", function()
    local x, y = lariat.randn(64, 6), lariat.randint(1, 3, { 64 })
    y[50] = 7
    local why = {}
    for k, dynamic in ipairs { true, false } do
      lariat.seed(1)
      local ok
      ok, why[k] = pcall(lariat.fit, nn.sequential { nn.linear(6, 3) }, { x = x, y = y },
        {
          loss = "cross_entropy", batch_size = 8, shuffle = false, epochs = 3,
          dynamic = dynamic,
        })
      assert.is_false(ok)
    end
    assert.equal(why[1], why[2])
    assert.is_truthy(tostring(why[2]):find "label 7")
  end)

  it("stops a run whose loss is no number, with the weights of the last epoch", function()
    compare(small, function()
      return { optimizer = optim.sgd { lr = 1e18 }, epochs = 30 }
    end, ".")
  end)

  it("is not left open by an error in Lua", function()
    local n, err = 0, { "mine" }
    local ok, why = pcall(lariat.fit, small(), data(), {
      loss = function(p, y)
        n = n + 1
        if n == 2 then error(err) end
        return (p - y):square():mean()
      end,
    })
    assert.is_false(ok)
    assert.equal(err, why)
    assert.is_number(lariat.ones(2):sum():item())
    assert.is_truthy(lariat.compile(function(t) return t * 1 end)(lariat.ones(2)))
  end)

  it("does not mind batches of many shapes", function()
    local function batches()
      return function()
        local k = 0
        return function()
          k = k + 1
          if k > 12 then return nil end
          return { x = lariat.full({ 3 + k % 4, 6 }, k / 12), y = lariat.ones(3 + k % 4, 2) }
        end
      end
    end
    local result = {}
    for k, dynamic in ipairs { true, false } do
      lariat.seed(4)
      local net = small()
      local h = lariat.fit(net, batches(), { loss = "mse", epochs = 6, dynamic = dynamic })
      result[k] = traces_of(h, net)
      assert.equal(dynamic and "eager: dynamic = true" or "plan", h.plan)
    end
    assert.equal(result[1], result[2])
  end)
end)

describe("a penalty written in Lua", function()
  -- The same penalty, once where plans are found and once where reading an element forbids it.
  local function runs(change)
    local out = {}
    for k = 1, 2 do
      local factor, calls = 1, 0
      local eager = k == 2
      local pen = P.new {
        name = "bent",
        value = function(_, w)
          if not core.is_tensor(w) then return 0 end
          if eager then w:at(table.unpack(w.ndim == 2 and { 1, 1 } or { 1 })) end
          return (w:square() + 0.1):sqrt():sum() * factor
        end,
      }
      lariat.seed(2)
      local net = small()
      local h = lariat.fit(net, data(), {
        loss = "mse", epochs = 40, batch_size = 16, penalty = 0.05 * pen,
        on_step = function(s)
          calls = s.step
          if change and s.step == 60 then factor = 3 end
        end,
      })
      assert.equal(200, calls)
      out[k] = traces_of(h, net)
    end
    return out
  end

  it("gives the bits of its function, by plan or not", function()
    local out = runs(false)
    assert.is_true(out[1] == out[2])
  end)

  it("sees a number that it captured change", function()
    local out = runs(true)
    assert.is_true(out[1] == out[2])
  end)

  it("is called seldom once there is a plan, and each time with dynamic = true", function()
    local calls = 0
    local counter = coroutine.wrap(function() -- out of sight
      while true do
        calls = calls + 1
        coroutine.yield()
      end
    end)
    for _, dynamic in ipairs { false, true } do
      calls = 0
      lariat.fit(small(), data(), {
        loss = "mse", epochs = 40, batch_size = 16, dynamic = dynamic,
        penalty = 0.1 * P.new {
          name = "counted",
          value = function(_, w)
            counter()
            return w:square():sum()
          end,
        },
      })
      -- two weights, 200 steps, 40 values of each for the history
      assert.is_true(dynamic == (calls >= 2 * 200 + 2 * 40), calls)
      assert.is_true(dynamic or calls < 2 * 40 + 40, calls)
    end
  end)
end)
