--- The data, responses and weights that the scripts in spec/fixtures gave to other packages.
-- @module spec.support.glm_data

local lariat = require "lariat"

local sets = {
  diabetes = lariat.data.diabetes { dtype = "float64" },
  breast_cancer = lariat.data.breast_cancer { dtype = "float64" },
  wine = lariat.data.wine { dtype = "float64" },
}

local data = { sets = sets }

local diabetes = sets.diabetes
local row = lariat.arange(1, #diabetes, { dtype = "float64" })

--- i mod m for every row of diabetes.
function data.rows_mod(m) return row - (row / m):floor() * m end

data.weights = data.rows_mod(3) + 1
data.factors = { 0, 1, 2, 0.5, 1, 1, math.huge, 1, 3, 1 }
data.offset = (data.rows_mod(5) - 2) / 4
data.status = data.rows_mod(4):ne(0):double()

local target = diabetes.y
local responses = {
  plain = target, time = target / 1000, count = (target / 25):floor(),
  tertile = target:gt(100):long() + target:gt(180):long() + 1,
  two = lariat.stack({ target, diabetes.x[{ {}, 10 }] }, 2),
}

--- Columns of mean 0 and 1/n standard deviation 1.
function data.scaled(x)
  local centred = x - x:mean(1, { keepdim = true })
  return centred / centred:square():mean(1, { keepdim = true }):sqrt()
end

--- x, y and status of a case.
function data.of(case)
  local set = sets[case.data:match "^%S+"]
  local x = case.data:find "scaled" and data.scaled(set.x) or set.x
  if case.response == "two" then x = x[{ {}, { 1, 9 } }] end
  local y = responses[case.response] or set.y
  if set == sets.breast_cancer then y = y - 1 end
  return x, y, case.response == "time" and data.status or nil
end

--- The folds of the fixtures.
function data.folds(n)
  local i = lariat.arange(1, n, { dtype = "int64" }) * 7
  return i - i:double():div(10):floor():long() * 10 + 1
end

return data
