-- Every @usage line of the Lua library runs, and so does every piece of Lua in the README.
local lariat = require "lariat"
local tree = require "support.tree"

-- Names that a usage line may take for granted.
local function context()
  local nn, P = lariat.nn, lariat.penalty
  lariat.seed(1)
  local net = nn.sequential { nn.linear(3, 4), nn.relu(), nn.linear(4, 1) }
  local x = lariat.randn(20, 3)
  local y = x:sum(2, { keepdim = true })
  local labels = lariat.randint(1, 3, { 20 })
  local opt = lariat.optim.adam(net, { lr = 1e-3 })
  local history = lariat.fit(net, { x = x, y = y }, {
    loss = "mse", epochs = 2, validation = 0.2, metrics = { "mae" }, progress = false,
  })
  local env = {
    lariat = lariat, nn = nn, P = P, net = net, model = net, x = x, y = y, X = x, Y = y,
    w = lariat.randn(4), v = lariat.randn(4), signal = lariat.randn(30), labels = labels,
    scores = lariat.randn(20, 3), history = history,
    opt = opt, optimizer = opt, reg = P.l1(0.1), loss = lariat.loss.mse,
    data = { x = x, y = y }, d = lariat.data.iris(), train = lariat.data.iris(),
    test = lariat.data.iris(), metric = lariat.metric, schedule = lariat.schedule,
    options = require "lariat.options",
    on_epoch = false, state = { step = 1, epoch = 1, lr = 0.1, stop = function() end },
    print = function() end,
  }
  return setmetatable(env, { __index = _G })
end

local function read(path)
  local f = assert(io.open(path))
  local text = f:read "a"
  f:close()
  return text
end

local function run(code, name, env)
  code = code:gsub("%-%->", "--")
  local chunk = load("return " .. code, name, "t", env) or assert(load(code, name, "t", env))
  local ok, why = pcall(chunk)
  assert(ok or tostring(why):find "gnuplot is not installed", why)
end

-- Usage blocks: from @usage to the next tag or the end of the comment.
local function usages(path)
  local found, at, lines = {}, nil, {}
  local number = 0
  for line in read(path):gmatch "([^\n]*)\n" do
    number = number + 1
    local first, rest = line:match "^%-%- @usage ?(.*)$", line:match "^%-%- ?(.*)$"
    if at and (first or not rest or rest:match "^@%a") then
      found[#found + 1] = { line = at, code = table.concat(lines, "\n") }
      at = nil
    end
    if first then at, lines = number, { first } elseif at then lines[#lines + 1] = rest end
  end
  return found
end

describe("usage in", function()
  for _, path in ipairs(tree.files "^lua/.*%.lua$") do
    for _, usage in ipairs(usages(path)) do
      it(("%s:%d"):format(path, usage.line), function()
        run(usage.code, "=" .. path .. ":" .. usage.line, context())
      end)
    end
  end
end)

describe("README", function()
  local k = 0
  for code in read "README.md":gmatch "```lua\n(.-)```" do
    k = k + 1
    it("code " .. k, function()
      run(code, "=README code", setmetatable({ lariat = lariat, print = function() end },
        { __index = _G }))
    end)
  end
end)
