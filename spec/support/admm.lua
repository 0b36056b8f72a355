--- A generic convex solver, independent of the engine and in no hurry: the alternating
-- direction method of multipliers (Boyd et al. 2011, Found. Trends Mach. Learn. 3(1)) for
--
-- min_u sum_j (u_j - v_j)^2 / (2 t_j) + b/2 |u|^2 + sum_k f_k(A_k u)
--
-- `blocks` is a list of `{ norm =, rows = { { [j] = a_j, ... }, ... } }` with the f that
-- `spec.support.shrink` has under the name `norm`, and what it needs. With `latent`, a list of
-- `{ c =, list = { j, ... } }`, the coordinates in a list are sums of parts, one for each list
-- that they are in, and each list costs c times the l2 norm of its parts.
-- @module spec.support.admm

local shrink = require "spec.support.shrink"

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

local function apply(row, u)
  local sum = 0
  for j, a in pairs(row) do sum = sum + a * u[j] end
  return sum
end

-- parts[j]: the variables whose sum is u_j; m: how many there are; blocks of the latent norms.
local function variables(n, latent)
  local parts, m, blocks = {}, 0, {}
  for j = 1, n do parts[j] = {} end
  for k, group in ipairs(latent or {}) do
    blocks[k] = { norm = 2, c = group.c, rows = {} }
    for i, j in ipairs(group.list) do
      m = m + 1
      parts[j][#parts[j] + 1] = m
      blocks[k].rows[i] = { [m] = 1 }
    end
  end
  for j = 1, n do
    if #parts[j] == 0 then
      m = m + 1
      parts[j][1] = m
    end
  end
  return parts, m, blocks
end

-- A block of u as one of the variables.
local function expand(block, parts)
  local own = { rows = {}, y = {}, z = {} }
  for key, v in pairs(block) do own[key] = own[key] or v end
  for i, row in ipairs(block.rows) do
    own.rows[i], own.y[i], own.z[i] = {}, 0, 0
    for j, a in pairs(row) do
      for _, k in ipairs(parts[j]) do own.rows[i][k] = a end
    end
  end
  return own
end

local function add(h, row, factor)
  for i, x in pairs(row) do
    for j, y in pairs(row) do h[i][j] = h[i][j] + factor * x * y end
  end
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

local function identity(n)
  local own = {}
  for j = 1, n do own[j] = { j } end
  return own
end

-- The problem in its variables: the inverse of its matrix, its right side, its blocks.
local function problem(v, steps, b, blocks, latent, rho)
  local parts, m, own = variables(#v, latent)
  local h, right, same = {}, {}, identity(m)
  for i = 1, m do
    h[i], right[i] = {}, 0
    for j = 1, m do h[i][j] = 0 end
  end
  for k = 1, #own do own[k] = expand(own[k], same) end
  for _, block in ipairs(blocks) do own[#own + 1] = expand(block, parts) end
  for j = 1, #v do
    local row = {}
    for _, k in ipairs(parts[j]) do row[k], right[k] = 1, v[j] / steps[j] end
    add(h, row, 1 / steps[j] + b)
  end
  for _, block in ipairs(own) do
    for _, row in ipairs(block.rows) do add(h, row, rho) end
  end
  return { inverse = inverse(h, m), right = right, blocks = own, parts = parts, m = m }
end

local function solve(p, rho)
  local u = {}
  for i = 1, p.m do u[i] = 0 end
  for round = 1, 100000 do
    local right, far = { table.unpack(p.right) }, 0
    for _, block in ipairs(p.blocks) do far = math.max(far, turn(block, u, rho, right)) end
    for i = 1, p.m do
      local sum = 0
      for j = 1, p.m do sum = sum + p.inverse[i][j] * right[j] end
      u[i] = sum
    end
    if far < 1e-10 and round > 2 then return u end -- the first starts from 0
  end
  error "the reference does not settle"
end

return function(v, steps, b, blocks, latent)
  local rho, out = 1, {}
  local p = problem(v, steps, b, blocks, latent, rho)
  local u = solve(p, rho)
  for j = 1, #v do
    out[j] = 0
    for _, k in ipairs(p.parts[j]) do out[j] = out[j] + u[k] end
  end
  return out
end
