--- Folds: which row is left out when. What cross-validation goes by; print, save and share it.
--
-- `folds.ids` is an int64 tensor (n) of 1..K, `#folds` is K; `folds.kind` and `folds.seed` say
-- how it came about. Methods: @{split}, @{each}, @{save}.
-- @classmod lariat.select.folds

local core = require "lariat.core"

local Folds = { __name = "lariat.folds" }
Folds.__index = Folds

--- The rows of fold k: those to learn from, and those left out.
-- @function split
-- @tparam integer k
-- @treturn Tensor int64, rows to train on
-- @treturn Tensor int64, rows left out
-- @usage local train, test = lariat.select.kfold(20, { folds = 4 }):split(1)
function Folds:split(k)
  if math.type(k) ~= "integer" or k < 1 or k > self.n_folds then
    error(("folds: there is no fold %s; there are 1..%d"):format(tostring(k), self.n_folds), 2)
  end
  local rows = core.arange(1, self.ids.numel, { dtype = "int64" })
  local out = self.ids:eq(k)
  return rows[out:eq(false)], rows[out]
end

--- All of them in turn.
-- @function each
-- @return an iterator of k, rows to train on, rows left out
-- @usage
-- for k, train, test in lariat.select.kfold(20):each() do print(k, #train, #test) end
function Folds:each()
  local k = 0
  return function()
    if k == self.n_folds then return nil end
    k = k + 1
    return k, self:split(k)
  end
end

--- Writes the ids as an .npy file, which `lariat.select.folds` reads.
-- @function save
-- @tparam string path
-- @return true; or nil and a sentence
-- @usage
-- local path = os.tmpname()
-- assert(lariat.select.kfold(20):save(path))
-- print(lariat.select.folds(path))
-- os.remove(path)
function Folds:save(path)
  return require "lariat.data.save_npy"(path, self.ids)
end

function Folds:__len() return self.n_folds end

function Folds:__tostring()
  local counts = core.class_counts(self.ids, self.n_folds)
  local words = {}
  for k = 1, math.min(#counts, 12) do words[k] = tostring(counts[k]) end
  if #counts > 12 then words[13] = "..." end
  local how = self.kind .. (self.seed and (", seed %d"):format(self.seed) or "")
  return ("%d folds of %d rows (%s): %s"):format(self.n_folds, self.ids.numel, how,
    table.concat(words, " "))
end

--- Is it a set of folds?
-- @local
function Folds.is(value) return getmetatable(value) == Folds end

--- From ids that have been checked.
-- @local
function Folds.new(ids, n_folds, kind, seed)
  return setmetatable({ ids = ids, n_folds = n_folds, kind = kind, seed = seed }, Folds)
end

return Folds
