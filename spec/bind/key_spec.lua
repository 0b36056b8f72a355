-- What Lua functions reach: when it changes, a plan that was made before is not for them.
local lariat = require "lariat"
local nn = lariat.nn

-- Calls fn compiled, with a change after the fifth call, and compares with what it gives.
local function follow(fn, change)
  local f = lariat.compile(fn)
  for k = 1, 12 do
    if k == 6 then change() end
    local x = lariat.randn(3)
    assert.equal(tostring(fn(x)), tostring(f(x)), "call " .. k)
  end
end

describe("a compiled function sees change", function()
  -- Chunks of their own, with _ENV a plain table, with one that falls back on another, and with
  -- one that is strict about what it does not know.
  local function environments()
    local strict = setmetatable({ lariat = lariat }, {
      __index = function(_, name) error("unknown global " .. name) end,
    })
    local proxy, behind = {}, { lariat = lariat }
    setmetatable(proxy, {
      __index = function(_, name) return behind[name] end,
      __newindex = function(_, name, value) behind[name] = value end,
    })
    return { { lariat = lariat }, setmetatable({}, { __index = { lariat = lariat } }), strict,
      proxy }
  end

  for kind, env in ipairs(environments()) do
    it("globals: numbers, tensors, fields and functions, environment " .. kind, function()
      local run = assert(load([[
        factor, weight, config = 2, lariat.ones(3), { deep = { shift = 1 } }
        local power = 1
        function helper(x) return x ^ power end
        local function fn(x) return helper(x * factor * weight) + config.deep.shift end
        return fn, {
          function() factor = 3 end,
          function() weight = lariat.full({ 3 }, 5) end,
          function() config.deep.shift = 4 end,
          function() power = 2 end,
          function() helper = function(x) return x * 7 end end,
        }
      ]], "=chunk", "t", env))
      local fn, changes = run()
      for _, change in ipairs(changes) do follow(fn, change) end
    end)
  end

  it("defaults in a metatable", function()
    local Class = { factor = 1 }
    Class.__index = Class
    function Class:run(x) return x * self.factor end
    local object = setmetatable({}, Class)
    follow(function(x) return object:run(x) end, function() Class.factor = 3 end)
  end)

  it("the end of a long string", function()
    local long = ("a"):rep(1000)
    follow(function(x) return x * (long:sub(-1) == "a" and 1 or 2) end, function()
      long = ("a"):rep(999) .. "b"
    end)
  end)

  it("deep in tables, and in large ones", function()
    local leaf, many = { factor = 1 }, {}
    local root = leaf
    for _ = 1, 20 do root = { root } end
    follow(function(x)
      local at = root
      while at[1] do at = at[1] end
      return x * at.factor
    end, function() leaf.factor = 3 end)
    for k = 1, 300 do many[k] = { k / 8 } end
    follow(function(x) return x * many[300][1] end, function() many[300][1] = 3 end)
  end)

  it("in more than can be compared, by running as it stands", function()
    for _, size in ipairs { 1e4, 600 } do
      local many, n = {}, 0
      for k = 1, size do many[k] = size == 600 and { k } or k end
      local at = function() return size == 600 and many[size][1] or many[size] end
      follow(function(x) n = n + 1 return x * at() end, function()
        if size == 600 then many[size][1] = -1 else many[size] = -1 end
      end)
      assert.equal(24, n)
    end
  end)
end)

describe("a compiled function that counts its calls", function()
  local function calls_of(make)
    local fn, count = make()
    local f = lariat.compile(fn)
    for _ = 1, 50 do
      local x = lariat.randn(3)
      assert.equal(tostring(x * 2), tostring(f(x)))
    end
    return count()
  end

  it("is not called any more once there is a plan", function()
    assert.equal(2, calls_of(function()
      local n = 0
      return function(x) n = n + 1 return x * 2 end, function() return n end
    end))
    assert.equal(2, calls_of(function()
      local t = { seen = { n = 0 } }
      return function(x) t.seen.n = t.seen.n + 1 return x * 2 end, function()
        return t.seen.n
      end
    end))
    local env = { n = 0 }
    assert.equal(2, calls_of(function()
      return load("local x = ... n = n + 1 return x * 2", "=chunk", "t", env), function()
        return env.n
      end
    end))
  end)

  it("says so where the count matters", function()
    local n = 0
    local f = lariat.compile(function(x) n = n + 1 return x * n end)
    local ok, why = true, nil
    for k = 1, 6 do
      local y
      ok, y = pcall(f, lariat.ones(1))
      why = not ok and y or why
      if not ok then break end
      assert.equal(k, y:item())
    end
    assert.is_false(ok)
    assert.is_truthy(why:find("a number or tensor from outside was another", 1, true))
    assert.is_truthy(why:find("dynamic = true", 1, true))
  end)
end)

describe("a layer in Lua that holds its model", function()
  it("trains", function()
    local net
    local layer = nn.module {
      params = { scale = lariat.ones(4) },
      forward = function(self, x) return x * self.scale + #net:parameter("2.weight") end,
    }
    net = nn.sequential { layer, nn.linear(4, 1) }
    local h = lariat.fit(net, { x = lariat.randn(64, 4), y = lariat.randn(64, 1) },
      { loss = "mse", epochs = 4, batch_size = 8 })
    assert.equal("plan", h.plan)
  end)

  it("may fit it, until there is no room on the stack", function()
    local layer
    local data = { x = lariat.randn(8, 4), y = lariat.randn(8, 4) }
    layer = nn.module {
      params = { scale = lariat.ones(4) },
      forward = function(self, x)
        lariat.fit(layer, data, { loss = "mse", epochs = 1 })
        return x * self.scale
      end,
    }
    local ok, why = pcall(lariat.fit, layer, data, { loss = "mse", epochs = 1 })
    assert.is_false(ok)
    assert.is_truthy(tostring(why):find "stack overflow")
    assert.is_truthy(lariat.compile(function(t) return t * 1 end)(lariat.ones(2)))
  end)
end)
