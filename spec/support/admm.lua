--- A generic convex solver, independent of the engine and in no hurry: the alternating
-- direction method of multipliers (Boyd et al. 2011, Found. Trends Mach. Learn. 3(1)) for
--
-- min_u sum_j (u_j - v_j)^2 / (2 t_j) + b/2 |u|^2 + sum_k f_k(A_k u)
--
-- where f_k is a multiple of the l2 or linf norm, or the bounds lo, hi. `blocks` is a list of
-- `{ norm = 2 | "inf" | "box", c =, lo =, hi =, rows = { { [j] = a_j, ... }, ... } }`.
-- @module spec.support.admm

local function inverse(a, n)
  local x = {}
  for i = 1, n do
    x[i] = {}
    for j = 1, n do x[i][j] = i == j and 1 or 0 end
  end
  for i = 1, n do -- positive definite: no pivots needed
    local d = a[i][i]
    for j = 1, n do a[i][j], x[i][j] = a[i][j] / d, x[i][j] / d end
    for k = 1, n do
      local f = a[k][i]
      if k ~= i and f ~= 0 then
        for j = 1, n do a[k][j], x[k][j] = a[k][j] - f * a[i][j], x[k][j] - f * x[i][j] end
      end
    end
  end
  return x
end

local shrink = {}

shrink[2] = function(z, block, rho)
  local r = 0
  for i = 1, #z do r = r + z[i] ^ 2 end
  r = math.sqrt(r)
  local scale = r > block.c / rho and 1 - block.c / (rho * r) or 0
  for i = 1, #z do z[i] = z[i] * scale end
end

shrink.inf = function(z, block, rho)
  local a, sum, level = {}, 0, 0
  for i = 1, #z do a[i] = math.abs(z[i]) end
  table.sort(a, function(p, q) return p > q end)
  for i = 1, #a do
    sum = sum + a[i]
    local top = (sum - block.c / rho) / i
    if i == #a or top >= a[i + 1] then
      level = math.max(top, 0)
      break
    end
  end
  for i = 1, #z do z[i] = math.max(-level, math.min(level, z[i])) end
end

shrink.box = function(z, block)
  for i = 1, #z do z[i] = math.max(block.lo, math.min(block.hi, z[i])) end
end

local function apply(row, u)
  local sum = 0
  for j, a in pairs(row) do sum = sum + a * u[j] end
  return sum
end

local function system(n, steps, b, blocks, rho)
  local h = {}
  for i = 1, n do
    h[i] = {}
    for j = 1, n do h[i][j] = i == j and 1 / steps[i] + b or 0 end
  end
  for _, block in ipairs(blocks) do
    for _, row in ipairs(block.rows) do
      for i, x in pairs(row) do
        for j, y in pairs(row) do h[i][j] = h[i][j] + rho * x * y end
      end
    end
  end
  return inverse(h, n)
end

-- One block's turn: z = prox(A u + y), y = y + A u - z; the most that z moved or differs.
local function turn(block, u, rho, right)
  local z, far = {}, 0
  for i, row in ipairs(block.rows) do z[i] = apply(row, u) + block.y[i] end
  local sum = { table.unpack(z) }
  shrink[block.norm](z, block, rho)
  for i, row in ipairs(block.rows) do
    far = math.max(far, math.abs(z[i] - block.z[i]), math.abs(sum[i] - z[i] - block.y[i]))
    block.y[i], block.z[i] = sum[i] - z[i], z[i]
    for j, a in pairs(row) do right[j] = right[j] + rho * a * (z[i] - block.y[i]) end
  end
  return far
end

return function(v, steps, b, blocks)
  local n, rho, u = #v, 1, {}
  local inv = system(n, steps, b, blocks, rho)
  for _, block in ipairs(blocks) do
    block.y, block.z = {}, {}
    for i = 1, #block.rows do block.y[i], block.z[i] = 0, 0 end
  end
  for j = 1, n do u[j] = v[j] end
  for _ = 1, 50000 do
    local right, far = {}, 0
    for j = 1, n do right[j] = v[j] / steps[j] end
    for _, block in ipairs(blocks) do far = math.max(far, turn(block, u, rho, right)) end
    for i = 1, n do
      u[i] = 0
      for j = 1, n do u[i] = u[i] + inv[i][j] * right[j] end
    end
    if far < 1e-10 then return u end
  end
  error "the reference does not settle"
end
