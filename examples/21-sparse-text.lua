-- A lasso on sparse data with the look of text: 20,000 documents, 50,000 words whose
-- frequencies fall as Zipf says, and a response that 40 of the words decide. The matrix is
-- never made dense: standardising and the intercept act without touching its entries.
--
-- Usage: lariat examples/21-sparse-text.lua

local lariat = require "lariat"
local glm, P = lariat.glm, lariat.penalty

local DOCUMENTS, WORDS, LENGTH, TRUE = 20000, 50000, 60, 40
lariat.seed(1)

local function clock(what, fn)
  local start = os.clock()
  local out = fn()
  print(("%-44s %5.1f s of processor time"):format(what, os.clock() - start))
  return out
end

-- The word of every place: rank 1 + floor(W^u), which has density 1/rank; its log-frequency.
local x = clock("generating the documents", function()
  local u = lariat.rand(DOCUMENTS * LENGTH, { dtype = "float64" })
  local word = (u * math.log(WORDS)):exp():floor():clamp(1, WORDS):long()
  local pointers = lariat.arange(0, DOCUMENTS, { dtype = "int64" }) * LENGTH
  return lariat.sparse.csr {
    data = lariat.ones(DOCUMENTS * LENGTH), indices = word, indptr = pointers + 1,
    shape = { DOCUMENTS, WORDS },
  }
end)
print(x)

-- The response: 40 words of middling frequency, and noise.
local truth = lariat.zeros(WORDS, { dtype = "float64" })
local place = lariat.arange(51, 51 + 10 * (TRUE - 1), 10, { dtype = "int64" })
truth[place] = lariat.randn(TRUE, { dtype = "float64" }) + 2
local y = x:mv(truth) + lariat.randn(DOCUMENTS, { dtype = "float64" })

local path = clock("the path, 30 lambdas", function()
  return glm.path { x = x, y = y, n_lambda = 30, lambda_min_ratio = 0.05 }
end)
print(("%s: %d lambdas, gap at most %.1e, from %d to %d words"):format(path.solver,
  #path.status, path.gap:max():item(), path.df[1], path.df[#path.status]))

local fit = path:best("ebic", 1)
local found, extra = 0, 0
for _, b in ipairs(fit:table()) do
  if truth[b.index] ~= 0 then found = found + 1 else extra = extra + 1 end
end
print(("EBIC picks lambda = %.4f: %d of %d true words, and %d others"):format(fit.lambda, found,
  TRUE, extra))

-- Two classes, standardised without densifying.
local label = y:gt(y:median()):double()
local logistic = clock("a logistic path on the standardised matrix", function()
  return glm.path {
    x = x, y = label, family = "binomial", penalty = P.elastic_net { l1_ratio = 0.95 },
    standardize = true, n_lambda = 10, lambda_min_ratio = 0.1,
  }
end)
local class = logistic:predict(x, logistic.lambda[10], { type = "class" })
print(("%.1f %% of documents in their class, by %d words"):format(
  100 * class:double():eq(label):double():mean():item(), logistic.df[10]))
