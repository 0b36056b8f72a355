-- Is a tumour benign? Logistic regression with a lasso on 30 measurements of cell nuclei:
-- lambda by cross-validated error, the coefficients that are left, and the confusion of tumours
-- that the fit has never seen.
--
-- Usage: lariat examples/22-logistic.lua

local lariat = require "lariat"
local glm = lariat.glm

local train, test = lariat.data.split(lariat.data.breast_cancer(), { 0.7, 0.3 },
  { seed = 1, stratify = true })

local cv = glm.cv {
  data = train, family = "binomial", standardize = true, folds = 10, seed = 1,
  n_lambda = 40, lambda_min_ratio = 1e-3,
}
print(cv)
print()
print(cv:at "1se")

-- The same folds for every loss: what is compared is the lambdas, not the luck of the draw.
print "\nby another loss, the lambda within a standard error of the best"
for _, loss in ipairs { "deviance", "class", "auc" } do
  local c = glm.cv {
    data = train, family = "binomial", standardize = true, folds = cv.folds, loss = loss,
    n_lambda = 40, lambda_min_ratio = 1e-3,
  }
  print(("  %-9s %.4f at lambda = %.4f, %d measurements"):format(loss, c.mean[c.index_1se],
    c.lambda_1se, c.fit.df[c.index_1se]))
end

local said = cv:predict(test, "1se", { type = "class" })
print(("\n%d tumours not seen before    said malignant   said benign"):format(#test))
for truth = 1, 2 do
  local row = {}
  for class = 1, 2 do
    row[class] = said:eq(class):logical_and(test.y:eq(truth)):count_nonzero():item()
  end
  print(("%29s  %15d %13d"):format(test.classes[truth], row[1], row[2]))
end
print(("accuracy %.1f %%, area under the curve %.4f"):format(
  100 * said:eq(test.y):double():mean():item(),
  lariat.metric.auc(cv:predict(test, "1se"), test.y - 1)))
