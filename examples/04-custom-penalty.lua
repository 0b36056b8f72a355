-- A penalty of your own, in five lines: the log-sum, which leaves large weights nearly alone.
-- Its gradient is derived from the value; with a prox as well it gives exact zeros.

local lariat = require "lariat"
local nn, P = lariat.nn, lariat.penalty

local function value(self, w) return (w:abs() / self.eps):log1p():sum() end
local log_sum = P.new { name = "log_sum", eps = 0.1, value = value }

-- The same with its proximal operator: u = v + sign(u) step lambda / (eps + |u|) turned
-- around is a quadratic in |u|; zero wins when its objective is lower.
local log_sum_prox = P.new {
  name = "log_sum_prox", eps = 0.1, value = value,
  prox = function(self, v, step)
    local t, a, eps = step * self.lambda, v:abs(), self.eps
    local disc = ((a + eps) ^ 2 - 4 * t):clamp(0)
    local u = ((a - eps + disc:sqrt()) / 2):clamp(0)
    local function cost(z) return (z - a) ^ 2 / 2 + t * (z / eps):log1p() end
    local wins = cost(u):lt(cost(u * 0)):logical_and(((a + eps) ^ 2):ge(4 * t))
    return lariat.where(wins, u, u * 0) * v:sign()
  end,
}
P.check(log_sum)
P.check(log_sum_prox)

-- Ten columns of thirty matter. L1 shrinks them all; the log-sum less.
lariat.seed(3)
local x = lariat.randn(200, 30)
local truth = lariat.zeros(30)
truth[{ { 1, 10 } }] = lariat.randn(10) * 2
local y = x:mv(truth) + 0.3 * lariat.randn(200)

for _, case in ipairs {
  { "L1", P.l1(0.3) }, { "log-sum, gradient", 0.05 * log_sum },
  { "log-sum, prox", 0.05 * log_sum_prox },
} do
  local model = nn.linear(30, 1, { bias = false, init = "zeros" })
  lariat.fit(model, { x = x, y = y }, {
    loss = "squared", penalty = case[2], optimizer = lariat.optim.gd { lr = 0.1 },
    epochs = 1000, progress = false,
  })
  local w = model:parameter("weight"):reshape(-1)
  print(("%-18s exact zeros %2d of 20 wanted, distance from the truth %.3f"):format(
    case[1], w:eq(0):count_nonzero():item(), (w - truth):norm():item()))
end
