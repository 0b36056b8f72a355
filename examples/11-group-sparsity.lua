-- Which pixels does a network use? A group lasso on the weights of each pixel switches whole
-- pixels off; the map shows what is left, by the norm of a pixel's weights. The strength is the
-- knob: from all of the image to a handful of pixels. The concave form (group MCP) keeps large
-- groups as they are and needs fewer pixels for the same accuracy.
--
-- Usage: lariat examples/11-group-sparsity.lua

local lariat = require "lariat"
local nn, P = lariat.nn, lariat.penalty

local SIDE, EPOCHS = 8, 40
local SHADES = { ".", ":", "+", "#", "@" }

local train, test = lariat.data.split(lariat.data.digits(), { 1200, 597 },
  { seed = 1, stratify = true })
train, test = lariat.data.standardize(train, test)

local function fit(penalty)
  lariat.seed(1)
  local net = nn.sequential { nn.linear(SIDE * SIDE, 32), nn.relu(), nn.linear(32, 10) }
  lariat.fit(net, train, {
    loss = "cross_entropy", penalty = penalty:on "1.weight",
    optimizer = lariat.optim.adam { lr = 5e-3 }, epochs = EPOCHS, batch_size = 50, seed = 1,
    progress = false,
  })
  return net
end

-- The norm of the weights out of each pixel: a blank is exactly zero.
local function map(net)
  local norms = net:parameter("1.weight"):detach():square():sum(1):sqrt():totable()
  local most, used = math.max(table.unpack(norms)), 0
  for row = 0, SIDE - 1 do
    local line = {}
    for column = 1, SIDE do
      local r = norms[row * SIDE + column]
      used = used + (r > 0 and 1 or 0)
      line[column] = r == 0 and " " or SHADES[math.ceil(#SHADES * r / most)]
    end
    print("    |" .. table.concat(line, " ") .. "|")
  end
  return used
end

local rows = {
  { "no penalty to speak of", P.group_lasso { lambda = 1e-6, by = "input" } },
  { "group lasso, 0.015", P.group_lasso { lambda = 0.015, by = "input" } },
  { "group lasso, 0.03", P.group_lasso { lambda = 0.03, by = "input" } },
  { "sparse group lasso, 0.03", P.sparse_group_lasso { lambda = 0.03, by = "input" } },
  { "group MCP, 0.025", P.group_mcp { lambda = 0.025, by = "input" } },
}

for _, row in ipairs(rows) do
  local net = fit(row[2])
  local accuracy = 100 * lariat.metric.accuracy(net:predict(test.x), test.y)
  local w = net:parameter "1.weight"
  print("\n" .. row[1])
  local used = map(net)
  print(("    %d of %d pixels, %.1f %% of weights zero, test accuracy %.1f %%"):format(used,
    SIDE * SIDE, 100 * w:eq(0):count_nonzero():item() / w.numel, accuracy))
end
