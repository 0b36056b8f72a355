-- Cross-validation: scores by hand, choices, axes, folds. (Figures of cv.glmnet are in
-- glmnet_spec.)
local lariat = require "lariat"
local near = require "spec.support.near"
local shell = require "spec.support.shell"

local glm, P = lariat.glm, lariat.penalty
local d = lariat.data.diabetes { dtype = "float64" }
local cancer = lariat.data.breast_cancer { dtype = "float64" }

local function cv(change)
  local q = { data = d, standardize = true, n_lambda = 15 }
  for key, v in pairs(change or {}) do q[key] = v end
  return glm.cv(q)
end

describe("cross-validation", function()
  it("scores each fold by a fit to the others", function()
    local c = cv { folds = 4, tol = 1e-10 }
    local weight, sum = 0, 0
    for k, train, test in c.folds:each() do
      local part = glm.path {
        data = d:rows(train), standardize = true, lambda = c.lambda, tol = 1e-10,
      }
      local left = part:predict(d:rows(test), c.lambda[6])
      local e = (left - d.y[test]):square():mean():item()
      near.check(c.scores:at(k, 6), e, { rel = 1e-6 })
      near.check(c.eta[{ {}, 6 }][test], left, { rel = 1e-6 })
      weight, sum = weight + #test, sum + e * #test
    end
    near.check(c.mean[6], sum / weight, { rel = 1e-6 })
    near.check(c:held_out(), c.eta[{ {}, c.index_min }])
  end)

  it("picks the least mean, and the largest lambda within one standard error", function()
    local c = cv()
    assert.equal(10, #c.folds)
    assert.equal(c.mean:argmin():item(), c.index_min)
    local limit = c.mean[c.index_min] + c.se[c.index_min]
    assert.is_true(c.mean[c.index_1se] <= limit and c.mean[c.index_1se - 1] > limit)
    near.check(c:at("1se").coef, c.fit.coef[{ {}, c.index_1se }])
    near.check(c:predict(d, "1se"), c.fit:predict(d, c.lambda_1se))
    assert.is_truthy(tostring(c):find "1se")
  end)

  it("is the same again, for any number of threads, and as a set of folds", function()
    local a, b = cv { threads = 1 }, cv { threads = 2 }
    assert.same(a.mean:totable(), b.mean:totable())
    assert.same(a.mean:totable(), cv { folds = a.folds }.mean:totable())
    assert.same(a.mean:totable(), cv { folds = a.folds.ids }.mean:totable())
    assert.are_not.same(a.mean:totable(), cv { seed = 2 }.mean:totable())
  end)

  it("takes a function, and honours weights", function()
    local function mse(p, y, w) return ((p - y):square() * w):sum() / w:sum() end
    local w = lariat.arange(1, #d, { dtype = "float64" })
    local by_name = cv { loss = "mse", weights = w }
    local by_call = cv { loss = mse, weights = w }
    near.check(by_call.mean, by_name.mean, { rel = 1e-9 })
    near.check(by_call.se, by_name.se, { rel = 1e-9 })
    near.check(cv { weights = w }.mean, by_name.mean, { rel = 1e-9 })
  end)

  it("counts errors and pairs of classes", function()
    local function run(loss, change)
      local q = {
        data = cancer, family = "binomial", loss = loss, folds = 5, standardize = true,
        n_lambda = 8, lambda_min_ratio = 0.01,
      }
      for key, v in pairs(change or {}) do q[key] = v end
      return glm.cv(q)
    end
    local c = run "class"
    local wrong = c.fit:predict(cancer, nil, { type = "class" })[{ {}, 1 }]
    assert.is_true(wrong:ne(cancer.y):double():mean():item() > 0.3)
    assert.is_true(c.mean[c.index_min] < 0.06)
    near.check(c:held_out("min", "class"):ne(cancer.y):double():mean(), c.mean[c.index_min],
      { rel = 1e-9 })
    local auc = run "auc"
    assert.equal(auc.mean:argmax():item(), auc.index_min)
    local same = run("auc", { weights = lariat.ones(#cancer) })
    near.check(same.mean, auc.mean, { rel = 1e-12 })
  end)

  it("spreads classes evenly", function()
    local c = cv { data = cancer, family = "binomial", folds = 5 }
    for _, _, test in c.folds:each() do
      local malignant = cancer.y[test]:eq(1):count_nonzero():item()
      assert.is_true(malignant == 42 or malignant == 43)
    end
  end)

  it("tunes axes together, on the same folds", function()
    local c = cv { penalty = P.elastic_net(), l1_ratio = { 0.2, 1 } }
    assert.equal(2, #c.grid)
    local lasso = cv()
    near.check(c.grid[2].mean, lasso.mean, { rel = 1e-9 })
    assert.equal(math.min(c.grid[1].loss_min, c.grid[2].loss_min), c.loss_min)
    assert.equal(c.loss_min == c.grid[1].loss_min and 0.2 or 1, c.l1_ratio)
    assert.equal(c.grid[1].folds, c.grid[2].folds)
    local mcp = cv { penalty = P.scad() + P.l2(0.1), gamma = { 3, 5 } }
    assert.equal(2, #mcp.grid)
    assert.equal(5, mcp.grid[2].fit.penalty:describe()[1].a)
    near.check(0.1, mcp.grid[2].fit.penalty:describe()[2].lambda)
    local tau = cv {
      family = "quantile", width = 1, tau = { 0.3, 0.7 }, loss = "mae", n_lambda = 4, folds = 3,
    }
    assert.equal(0.7, tau.grid[2].tau)
  end)

  -- Scripts ask for their own Ctrl-C when what it should meet begins.
  local function interrupted(body)
    local script = os.tmpname()
    shell.write(script, [[
      local glm, P = lariat.glm, lariat.penalty
      lariat.threads(1)
      local function stop_in(seconds)
        os.execute(("(sleep %.2f; kill -INT $PPID) &"):format(seconds))
      end
      local x = lariat.randn(200, 40, { dtype = "float64" })
      local y = x:sum(2) + lariat.randn(200, { dtype = "float64" }) * 5
    ]] .. body)
    local out, err = shell.run(("timeout 120 %s %s"):format(shell.lariat, script))
    os.remove(script)
    return out, out .. err
  end

  it("a path ends at Ctrl-C with what there is #interrupt", function()
    local out, all = interrupted [[
      stop_in(1)
      local p = glm.path { x = x, y = y, tol = 1e-14, lambda_min_ratio = 1e-6,
        n_lambda = 300000, early_end = false, penalty = P.slope() }
      print(p.ended, #p.status < 300000, p.coef.shape[2] == #p.status)
    ]]
    assert.is_truthy(out:find "interrupted\ttrue\ttrue", all)
  end)

  it("so does one whose loss is written in Lua, and what comes after goes on #interrupt",
    function()
      local out, all = interrupted [[
        local calls = 0
        local function loss(eta, y)
          calls = calls + 1
          if calls == 40 then stop_in(0) end
          for _ = 1, calls >= 40 and 1000000 or 0 do calls = calls + 0 end
          return (eta - y):square()
        end
        local q = { x = x, y = y, family = loss, n_lambda = 3000, early_end = false }
        local p = glm.path(q)
        print(p.ended, #p.status < 3000, p.coef.shape[2] == #p.status)
        calls = -math.huge
        q.n_lambda = 5
        print(glm.path(q).status[5])
      ]]
      assert.is_truthy(out:find "interrupted\ttrue\ttrue\nconverged", all)
    end)

  -- The interrupt comes after the path of all rows and some folds of the sixty.
  for _, compat in ipairs { "nil", "'glmnet'" } do
    it("cross-validation judges by the folds that ended #interrupt " .. compat, function()
      local out, all = interrupted(([[
        local q = { x = x, y = y, n_lambda = 400, early_end = false, tol = 1e-12,
          penalty = P.elastic_net { l1_ratio = 0.5 }, solver = "fista", compat = %s }
        local start = os.clock()
        glm.path(q)
        stop_in(15 * (os.clock() - start))
        q.folds = 60
        local c = glm.cv(q)
        local judged = c.folds_judged or 0
        print(c.status, judged >= 2 and judged < 60, #c.lambda, c.lambda_min ~= nil)
        local seen = c:held_out():isnan():eq(false):count_nonzero():item()
        print(seen >= judged * 3 and seen <= judged * 4, c.mean:isnan():any():item(),
          tostring(c):find(("interrupted: by %%d of the folds"):format(judged)) ~= nil)
      ]]):format(compat))
      assert.is_truthy(out:find "interrupted\ttrue\t400\ttrue", all)
      assert.is_truthy(out:find "true\tfalse\ttrue", all)
    end)
  end
end)
