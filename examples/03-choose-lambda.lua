-- Choosing lambda by k-fold cross-validation, in plain Lua: diabetes, lasso by proximal
-- gradient descent. Prints the curve, the best lambda, and the largest one within a standard
-- error of it, with what each keeps.

local lariat = require "lariat"
local nn, P = lariat.nn, lariat.penalty

local K = 5
local d = lariat.data.standardize(lariat.data.diabetes { dtype = "float64" })
local n, p = #d.x, d.x.shape[2]
local mean_y = d.y:mean():item()

local function lasso(x, y, lambda)
  local model = nn.linear(p, 1):to "float64"
  lariat.no_grad(function()
    model:parameter("weight"):zero_()
    model:parameter("bias"):fill_(mean_y)
  end)
  lariat.fit(model, { x = x, y = y }, {
    loss = "squared", penalty = P.l1(lambda), optimizer = lariat.optim.gd { lr = 0.2 },
    epochs = 5000, tol = 1e-8, progress = false,
  })
  return model
end

-- Row numbers, shuffled and dealt into folds once, so that every lambda meets the same ones.
lariat.seed(7)
local order = lariat.randperm(n):totable()
local folds = {}
for k = 1, K do
  folds[k] = { train = {}, test = {} }
  for i, row in ipairs(order) do
    table.insert(folds[k][i % K + 1 == k and "test" or "train"], row)
  end
end
local function rows(list) return lariat.tensor(list, { dtype = "int64" }) end

print(("%8s  %10s  %8s"):format("lambda", "mse", "+-"))
local curve = {}
for i = 0, 11 do
  local lambda = 45 * 0.6 ^ i
  local errors = {}
  for k, fold in ipairs(folds) do
    local tr, te = rows(fold.train), rows(fold.test)
    local model = lasso(d.x[tr], d.y[tr], lambda)
    errors[k] = lariat.metric.mse(model:predict(d.x[te]), d.y[te])
  end
  local e = lariat.tensor(errors, { dtype = "float64" })
  curve[#curve + 1] = { lambda = lambda, mse = e:mean():item(), se = e:std():item() / K ^ 0.5 }
  print(("%8.3f  %10.1f  %8.1f"):format(lambda, curve[#curve].mse, curve[#curve].se))
end

-- The least error, and the sparsest model (the largest lambda, listed first) as good as it.
local best = curve[1]
for _, c in ipairs(curve) do if c.mse < best.mse then best = c end end
local sparse = 1
while curve[sparse].mse > best.mse + best.se do sparse = sparse + 1 end

local function report(name, lambda)
  local w = lasso(d.x, d.y, lambda):parameter "weight"
  local kept = {}
  for j = 1, p do
    if w:at(1, j) ~= 0 then kept[#kept + 1] = ("%s %.1f"):format(d.names[j], w:at(1, j)) end
  end
  print(("\n%s: lambda = %.3f keeps %d of %d: %s"):format(
    name, lambda, #kept, p, table.concat(kept, ", ")))
end
report("least error", best.lambda)
report("within one standard error of it", curve[sparse].lambda)
