-- Every constructor and method of models, every initialiser and loss, with arguments of every
-- kind, right and wrong: it may work or raise, and raises one sentence. Crashes are for the
-- sanitizers to see.
local lariat = require "lariat"
local core = lariat.core
local nn = lariat.nn

local ROUNDS = 80

-- A small generator of its own, so that a failure repeats.
local state
local function draw(n)
  state = state * 6364136223846793005 + 1442695040888963407
  return (state >> 33) % n + 1
end

local function models()
  return {
    nn.linear(3, 2), nn.sequential { nn.linear(3, 4), nn.relu(), nn.dropout() }, nn.relu(),
    nn.embedding(4, 2), nn.batch_norm(3), nn.layer_norm(3),
    nn.parallel { nn.relu(), nn.tanh() },
    nn.weight_norm(nn.linear(3, 2)), nn.spectral_norm(nn.linear(3, 2)),
    nn.module { params = { w = lariat.ones(3) }, forward = function(self, x)
      return x * self.w
    end },
    nn.module { forward = function() error "inner" end },
    nn.module { forward = function() return 3 end },
  }
end

local function junk()
  local int = { dtype = "int64" }
  local closed = lariat.ones(2)
  closed:close()
  local list = {
    lariat.ones(2, 3), lariat.ones(3), lariat.tensor(2.5), lariat.zeros(0, 3),
    lariat.eye(3, { dtype = "float64" }), lariat.tensor({ 1, 2, 3 }, int),
    lariat.tensor({ -1, 0, 9 }, int), lariat.full({ 2, 3 }, 0 / 0), lariat.ones(4, 3):t():t(),
    lariat.ones(2, 2, 2, 2, 2, 2, 2, 2), lariat.randn(2, 3, { requires_grad = true }), closed,
    0, 1, 2, 3, -1, 0.5, 1e300, math.huge, 0 / 0, true, false, "", "float64", "1.*", "weight",
    "kaiming_normal", ("long"):rep(20), {}, { 1 }, { 1, 2 }, { -1, 3 }, { bias = false },
    { init = "ones" }, { init = 3 }, { p = 0.5 }, { reduction = "sum" }, { weight = { 1, 2 } },
    { weight = "x" }, { merge = "sum" }, { lariat.ones(2) }, { nn.relu(), nn.relu() },
    { nn.relu(), "x" }, { [true] = 1 }, { weight = lariat.ones(2, 3) }, lariat.loss.mse,
    function(x) return x end, function() error "inner" end, io.stdout,
  }
  for _, m in ipairs(models()) do list[#list + 1] = m end
  return list
end

-- Numbers that ask for more memory than a test need allocate; the largest that stay.
local function tame(v) return type(v) == "number" and math.abs(v) > 100 and 100 or v end

local function fuzz(name, fn, first)
  state = #name * 7919 + name:byte(1) + 31 * name:byte(-1)
  for _ = 1, ROUNDS do
    local values, args, n = junk(), {}, draw(4) - 1
    for k = 1, n do args[k] = tame(values[draw(#values)]) end
    if first then
      table.insert(args, 1, first()[draw(#first())])
      n = n + 1
    end
    local ok, message = pcall(fn, table.unpack(args, 1, n))
    if not ok and type(message) == "string" and not message:find "inner" then
      local texts = {}
      for k = 1, n do texts[k] = tostring(select(2, pcall(tostring, args[k]))):sub(1, 60) end
      local call = name .. "(" .. table.concat(texts, ", ") .. ") -> " .. message
      assert.is_nil(message:find "\n", call)
      assert.is_truthy(#message > 8 and #message < 700, call)
    end
  end
end

local function sorted(t)
  local names = {}
  for name in pairs(t) do names[#names + 1] = name end
  table.sort(names)
  return names
end

describe("any arguments make a sentence or work:", function()
  for _, name in ipairs(sorted(core.layer)) do
    it("nn." .. name, function() fuzz(name, core.layer[name]) end)
  end
  it("nn.module", function() fuzz("module", nn.module) end)
  for _, name in ipairs(sorted(core.init)) do
    it("nn.init." .. name, function() fuzz(name, core.init[name]) end)
  end
  for _, name in ipairs(sorted(core.module_methods)) do
    it("model:" .. name, function() fuzz(name, core.module_methods[name], models) end)
    it("model:" .. name .. " of anything", function() fuzz(name, core.module_methods[name]) end)
  end
  for _, name in ipairs(sorted(core.loss)) do
    it("loss." .. name, function() fuzz(name, core.loss[name]) end)
  end

  it("fields of models, read and written", function()
    fuzz("index", function(m, key) return m[key] end, models)
    fuzz("newindex", function(m, key, value) m[key] = value end, models)
  end)
end)
