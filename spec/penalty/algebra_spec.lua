-- Penalties as values: factors, sums, scopes, schedules, terms, printing, errors, and ones
-- written in Lua.
local lariat = require "lariat"
local near = require "spec.support.near"

local P, nn = lariat.penalty, lariat.nn

local function network()
  local net = nn.sequential { nn.linear(3, 4), nn.batch_norm(4), nn.tanh(), nn.linear(4, 2) }
  return net:to("float64") or net
end

-- Sum of |w| and of w^2 / 2 over parameters by name.
local function sums(net, ...)
  local l1, l2 = 0, 0
  for _, name in ipairs { ... } do
    local p = net:parameter(name):detach()
    l1 = l1 + p:abs():sum():item()
    l2 = l2 + (p ^ 2):sum():item() / 2
  end
  return l1, l2
end

local function same(a, b) near.check(a, b, { rel = 1e-12 }) end

local function fails(fn, ...)
  local ok, why = pcall(fn)
  assert.is_false(ok, "no error")
  for _, what in ipairs { ... } do
    assert.is_truthy(tostring(why):find(what, 1, true), tostring(why))
  end
end

describe("the algebra of penalties", function()
  local net = network()

  it("covers weights, not biases nor gains", function()
    local l1, l2 = sums(net, "1.weight", "4.weight")
    same(P.l1():value(net), l1)
    same(P.l2(0.3):value(net), 0.3 * l2)
  end)

  it("takes factors on either side, and divides", function()
    local l1 = sums(net, "1.weight", "4.weight")
    same((0.5 * P.l1(3)):value(net), 1.5 * l1)
    same((P.l1(3) * 0.5):value(net), 1.5 * l1)
    same((P.l1(3) / 2):value(net), 1.5 * l1)
    assert.equal(1.5, (0.5 * P.l1(3)):lambda())
  end)

  it("adds, and leaves the addends as they were", function()
    local a, b = P.l1(0.1), P.l2(0.2)
    local sum = 2 * (a + b)
    local l1, l2 = sums(net, "1.weight", "4.weight")
    same(sum:value(net), 0.2 * l1 + 0.4 * l2)
    same(a:value(net), 0.1 * l1)
    assert.same({ l1 = 0.2, l2 = 0.4 }, sum:lambda())
  end)

  it("names terms, and tells those of one name apart", function()
    local reg = P.l1(0.1):on "1.*" + P.l2(0.2) + P.l1(0.3):on "4.*" + P.max_norm(100)
    local terms = reg:terms(net)
    same(terms.l1, 0.1 * sums(net, "1.weight"))
    same(terms.l1_2, 0.3 * sums(net, "4.weight"))
    assert.equal(0, terms.max_norm)
    local total = 0
    for _, v in pairs(terms) do total = total + v end
    same(reg:value(net), total)
  end)

  it("acts where :on says", function()
    local function on(...) return P.l1():on(...):value(net) end
    same(on "1.weight", sums(net, "1.weight"))
    same(on "4.*", sums(net, "4.weight"))
    same(on "*.bias", sums(net, "1.bias", "2.bias", "4.bias"))
    same(on "bias", sums(net, "1.bias", "2.bias", "4.bias"))
    same(on("weight", "bias"),
      (sums(net, "1.weight", "4.weight", "1.bias", "2.bias", "4.bias")))
    same(on { "1.weight", "4.bias" }, sums(net, "1.weight", "4.bias"))
    same(on "gain", sums(net, "2.weight"))
    same(on "*.weight", sums(net, "1.weight", "4.weight"))
    same(on("*.weight", "gain"), sums(net, "1.weight", "2.weight", "4.weight"))
    same(on "2.weight", sums(net, "2.weight"))
    same(on(function(name, w) return name:find "^4" and w.ndim == 1 end), sums(net, "4.bias"))
    same(P.l1():on("1.*"):on("4.*"):value(net), sums(net, "4.weight"))
    same((P.l1() + P.l2()):on("1.*"):value(net), (function()
      local l1, l2 = sums(net, "1.weight")
      return l1 + l2
    end)())
  end)

  it("acts on a tensor, a list, a table of tensors", function()
    local a, b = lariat.tensor { 1, -2 }, lariat.tensor { 3 }
    assert.equal(3, P.l1():on("7.*"):value(a))
    assert.equal(6, P.l1():value { a, b })
    assert.equal(3, P.l1():value { weight = a, bias = b })
  end)

  it("has the gradient of all terms at a tensor", function()
    local w = lariat.tensor({ 2, 0, -1 }, { dtype = "float64" })
    near.check((P.l1(0.5) + P.l2(3)):gradient(w), { 6.5, 0, -3.5 })
  end)

  it("reads lambda from a function of the state", function()
    local seen = {}
    local reg = 2 * P.l1(function(state)
      seen[#seen + 1] = state.step
      return 0.1 * (state.step + 1)
    end)
    same(reg:value(net), 0.2 * sums(net, "1.weight", "4.weight"))
    assert.equal(0.2, reg:lambda())
    local w = lariat.zeros(1, { dtype = "float64", requires_grad = true })
    local opt = lariat.optim.sgd({ w }, { lr = 1, penalty = reg })
    lariat.no_grad(function() w:fill_(10) end)
    seen = {}
    for _ = 1, 3 do opt:step() end
    assert.same({ 1, 2, 3 }, seen)
    same(w:item(), 10 - 2 * (0.2 + 0.3 + 0.4))
    opt:step { step = 9 }
    same(w:item(), 10 - 2 * (0.2 + 0.3 + 0.4 + 1))
  end)

  it("does by the subgradient what it is told", function()
    local reg = P.l1 { lambda = 0.5, mode = "subgradient" }
    local w = lariat.tensor({ 2, 0.1, 0 }, { dtype = "float64", requires_grad = true })
    local opt = lariat.optim.sgd({ w }, { lr = 1, penalty = reg })
    opt:step()
    near.check(w:detach(), { 1.5, -0.4, 0 })
    assert.is_truthy(tostring(reg):find("by subgradient", 1, true))
  end)

  it("describes itself", function()
    local terms = (0.1 * P.elastic_net { l1_ratio = 0.2 } + P.max_norm(3):on "1.*"):describe()
    assert.equal("elastic_net", terms[1].name)
    assert.equal(0.2, terms[1].l1_ratio)
    assert.equal(0.1, terms[1].scale * terms[1].lambda)
    assert.equal("weight", terms[1].on)
    assert.same({ "1.*" }, terms[2].on)
    assert.equal(3, terms[2].c)
    assert.equal(3, P.max_norm(3).c)
  end)

  it("prints the exact function", function()
    local function says(pen, line)
      assert.equal(line, tostring(pen):gsub(" +%[.*", ""))
    end
    says(P.l1(0.01), "0.01 |w|_1 on weights")
    says(P.l1(), "|w|_1 on weights")
    says(2 * P.l2(3), "6/2 |w|^2 on weights")
    says(P.elastic_net { lambda = 0.1 }, "0.1 (0.5 |w|_1 + (1 - 0.5)/2 |w|^2) on weights")
    says(P.group_lasso { lambda = 2, by = "input" }:on "4.*",
      "2 sum_g sqrt(|g|) |w_g|_2 by input on 4.*")
    says(P.max_norm(3):on("1.*", "bias"), "|w_g|_2 <= 3 by output on 1.*, biases")
    says(3 * P.l1(function() return 1 end), "3 lambda(state) |w|_1 on weights")
    says(P.box(0, 2), "0 <= w <= 2 on weights")
    local text = tostring(P.l1(0.1) + P.l2(0.2) + P.nonnegative())
    assert.is_truthy(text:find("[l1: by prox]", 1, true))
    assert.is_truthy(text:find("[l2: by gradient]", 1, true))
    assert.is_truthy(text:find("[nonnegative: by projection]", 1, true))
  end)

  it("constraints are there by a name of their own", function()
    local C = lariat.constraint
    local reg = P.l1(0.1) + C.max_norm(3)
    near.check(reg:prox(lariat.tensor { { 30, 40 } }, 1):norm(), 3, { rel = 1e-6 })
    assert.is_nil(C.l1)
  end)

  it("says what is wrong in one sentence", function()
    fails(function() P.l1():on("7.*"):value(net) end,
      "penalty l1 on '7.*' matches no parameter", "1.weight (4, 3)", "4.bias (2)")
    fails(function() P.l1():on(function() return false end):value(net) end,
      "penalty l1 on 'a function' matches no parameter")
    fails(function() P.l1(-1) end, "l1: lambda = -1", "not negative")
    fails(function() return -1 * P.l1() end, "factor of -1")
    fails(function() return (0 / 0) * P.l1() end, "factor of")
    fails(function() P.l1(function() return -2 end):value(net) end, "penalty l1: lambda = -2")
    fails(function() P.l1(function() return "x" end):value(net) end, "returned a string")
    fails(function() P.l1 { lamda = 1 } end, "l1: unknown key 'lamda'; did you mean 'lambda'?")
    fails(function() P.elastic_net { l1_ratio = 2 } end, "elastic_net: l1_ratio = 2 is outside")
    fails(function() P.box(1, 0) end, "box: lo = 1 is above hi = 0")
    fails(function() P.max_norm(-1) end, "max_norm: c = -1")
    fails(function() P.group_lasso { by = "rows" } end, "by = 'rows' is not one of")
    fails(function() P.l1 { mode = "subgradients" } end, "mode = 'subgradients'")
    fails(function() P.max_norm { lambda = 1 } end, "max_norm: a constraint has no lambda")
    fails(function() P.l1 { weights = lariat.tensor { 1, -1 } } end, "weight -1", "position 2")
    fails(function() P.l1 { weights = lariat.ones(7) }:value(net) end,
      "penalty l1 on '1.weight'", "(7)", "(4, 3)")
    fails(function() P.group_lasso { by = "input" }:on("bias"):value(net) end,
      "penalty group_lasso on '1.bias': by = 'input' needs 2 dimensions; this has shape (4)")
    fails(function() P.l1():value(lariat.tensor({ 1, 2 }, { dtype = "int64" })) end,
      "is int64; penalties act on float tensors")
    fails(function() return P.l1() + 1 end, "added to a penalty, not to a number")
    fails(function() return P.l1() * P.l1() end, "multiplied by a number")
    fails(function() P.l1():prox(lariat.ones(2), 0) end, "step = 0")
    fails(function() P.l1():on() end, "say where")
    fails(function() P.l1 "0.1" end, "expects a number or a table")
    fails(function() P.l1():value(12) end, "model, tensor or list of tensors expected")
    fails(function() return P.l1().gamma end, "a penalty has no 'gamma'")
    local closed = P.l1()
    closed:close()
    fails(function() closed:value(net) end, "this penalty has been closed")
  end)

  it("blames the caller's line", function()
    local _, why = pcall(function() P.l1 { lamda = 1 } end)
    assert.is_truthy(why:find("algebra_spec.lua", 1, true), why)
    _, why = pcall(function() P.new { value = 1 } end)
    assert.is_truthy(why:find("algebra_spec.lua", 1, true), why)
  end)
end)

describe("a penalty written in Lua", function()
  local function log_sum(more)
    local spec = {
      name = "log_sum", eps = 0.1,
      value = function(self, w) return (w:abs() / self.eps):log1p():sum() end,
    }
    for k, v in pairs(more or {}) do spec[k] = v end
    return P.new(spec)
  end

  local function soft(more)
    local spec = {
      name = "soft", value = function(_, w) return w:abs():sum() end,
      prox = function(_, v, step) return v:sign() * (v:abs() - step):clamp(0, math.huge) end,
    }
    for k, v in pairs(more or {}) do spec[k] = v end
    return P.new(spec)
  end

  local w = lariat.tensor({ { 1, -2, 0.05 }, { 0.3, 0, 4 } }, { dtype = "float64" })

  it("needs only its value; the gradient follows", function()
    local pen = 1e-3 * log_sum():on "weight"
    local sum = 0
    for _, row in ipairs(w:totable()) do
      for _, x in ipairs(row) do sum = sum + math.log(1 + math.abs(x) / 0.1) end
    end
    same(pen:value(w), 1e-3 * sum)
    near.check(pen:gradient(w):at(1, 2), -1e-3 / 2.1)
    assert.is_true(P.check(pen, { quiet = true }))
    assert.is_truthy(tostring(pen):find("0.001 log_sum(w; eps = 0.1) on weights", 1, true))
    assert.is_truthy(tostring(pen):find("by gradient", 1, true))
    fails(function() pen:prox(w, 1) end, "penalty log_sum has no prox")
  end)

  it("can be called for a strength or other parameters", function()
    local pen = log_sum()
    same(pen(0.5):value(w), 0.5 * pen:value(w))
    local copy = pen:on "bias" { eps = 1 }
    assert.equal(1, copy.eps)
    assert.equal(0.1, pen.eps)
    assert.same({ "bias" }, copy:describe()[1].on)
    fails(function() P.l1() { lambda = 2 } end, "only a penalty made by penalty.new")
  end)

  it("trains a network as the built-in one does", function()
    local double = { dtype = "float64" }
    local x, y = lariat.randn(20, 3, double), lariat.randn(20, 2, double)
    local start = network()
    local function train(rule, penalty)
      local net = start:clone()
      local opt = lariat.optim[rule](net, { lr = 0.02, penalty = penalty })
      for _ = 1, 30 do
        opt:zero_grad()
        lariat.loss.squared(net(x), y):backward()
        opt:step()
      end
      return net:parameter "1.weight":detach()
    end
    for _, rule in ipairs { "sgd", "adam" } do
      near.check(train(rule, soft { separable = true } * 0.05), train(rule, P.l1(0.05)),
        { rel = 1e-10, abs = 1e-12 })
      near.check(train(rule, 0.05 * P.new {
        value = function(_, v) return (v ^ 2):sum() / 2 end,
      }), train(rule, P.l2(0.05)), { rel = 1e-10, abs = 1e-12 })
    end
  end)

  it("sees its strength; the step of its prox has it already", function()
    local seen = {}
    local pen = P.new {
      name = "seen", value = function(self, v) seen.lambda = self.lambda return v:sum() * 0 end,
      prox = function(_, v, step) seen.step = step return v end,
    }
    local _ = (0.25 * pen):value(w)
    assert.equal(0.25, seen.lambda)
    _ = (0.25 * pen):prox(w, 2)
    assert.equal(0.5, seen.step)
  end)

  it("composes with others by splitting", function()
    local pen, twin = soft() * 0.3 + P.max_norm(1.5), P.l1(0.3) + P.max_norm(1.5)
    near.check(pen:prox(w, 0.8), twin:prox(w, 0.8), { abs = 1e-9 })
    local steps = lariat.full({ 2, 3 }, 0.2, { dtype = "float64" })
    near.check(soft { separable = true }:prox(w, steps), P.l1():prox(w, 0.2))
    assert.is_truthy(tostring(soft()):find("its prox knows no metric", 1, true))
    assert.is_nil(tostring(soft { separable = true }):find "metric")
  end)

  it("is caught when its prox is wrong", function()
    local bad = soft { prox = function(_, v, step)
      return v:sign() * (v:abs() - 0.9 * step):clamp(0, math.huge)
    end }
    local ok, report = P.check(bad, { quiet = true })
    assert.is_false(ok)
    assert.is_truthy(table.concat(report, "\n"):find "WRONG prox")
    ok = P.check(soft(), { quiet = true })
    assert.is_true(ok)
    local twice = soft { prox = function(self, v, step)
      return v:sign() * (v:abs() - step * self.lambda):clamp(0, math.huge)
    end }
    assert.is_false(P.check(3 * twice, { quiet = true }))
  end)

  it("leaves its errors as they are, and the model as it was", function()
    local boom = { "an error object" }
    local net = network()
    local before = net:parameter "1.weight":detach():clone()
    for _, pen in ipairs {
      P.new { value = function() error(boom) end },
      soft { prox = function() error(boom) end },
      P.l1(function() error(boom) end),
      P.l1():on(function() error(boom) end),
    } do
      local ok, why = pcall(function()
        local opt = lariat.optim.sgd(net, { lr = 0.1, penalty = pen })
        opt:step()
      end)
      assert.is_false(ok)
      assert.equal(boom, why)
      near.check(net:parameter "1.weight":detach(), before, { rel = 0, abs = 0 })
    end
  end)

  it("says what is wrong with it", function()
    fails(function() P.new {} end, "penalty.new: value must be a function, not a nil")
    fails(function() P.new "x" end, "penalty.new: expects a table")
    fails(function() P.new { value = print, prox = 1 } end, "prox must be a function")
    fails(function() P.new { value = function() return "x" end }:value(w) end,
      "penalty custom: value returned a string, not one number")
    fails(function() P.new { value = function(_, v) return v end }:value(w) end,
      "penalty custom: value returned a tensor of shape (2, 3), not one number")
    fails(function() soft { prox = function() return 1 end }:prox(w, 1) end,
      "penalty soft: prox returned a number, not a tensor")
    fails(function() soft { prox = function(_, v) return v:t() end }:prox(w, 1) end,
      "penalty soft: prox returned shape (3, 2) for a tensor of shape (2, 3)")
  end)

  it("is collected with what it refers to", function()
    local weak = setmetatable({}, { __mode = "k" })
    do
      local spec = { value = function(_, v) return v:sum() end }
      local fn = function() return 1 end
      local reg = P.new(spec) + P.l1(fn):on(function() return true end)
      weak[spec.value], weak[fn], weak[reg] = true, true, true
    end
    collectgarbage()
    collectgarbage()
    assert.is_nil(next(weak))
  end)

  it("lives as long as a sum or an optimiser needs it", function()
    local net = network()
    local opt
    do
      local reg = 0.1 * log_sum() + P.l1(function() return 0.1 end)
      opt = lariat.optim.sgd(net, { lr = 0.01, penalty = reg:on "weight" })
    end
    for _ = 1, 3 do
      collectgarbage()
      opt:step()
    end
  end)
end)
