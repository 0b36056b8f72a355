--- Proxes in plain Lua, by the textbook and in no hurry: what the generic solver of
-- `spec.support.admm` does with its blocks. Each changes the list z to
-- argmin_u f(u) + rho/2 |u - z|^2, f being described by the block.
-- @module spec.support.shrink

local shrink = {}

local function magnitudes(z)
  local order = {}
  for i = 1, #z do order[i] = i end
  table.sort(order, function(p, q)
    local a, b = math.abs(z[p]), math.abs(z[q])
    return a > b or (a == b and p < q)
  end)
  return order
end

local function sign(x) return x < 0 and -1 or 1 end

local function soft(z, t)
  for i = 1, #z do z[i] = sign(z[i]) * math.max(math.abs(z[i]) - t, 0) end
end

local function norm(z)
  local r = 0
  for i = 1, #z do r = r + z[i] ^ 2 end
  return math.sqrt(r)
end

local function scale(z, by)
  for i = 1, #z do z[i] = z[i] * by end
end

-- c |u|_2
shrink[2] = function(z, block, rho)
  local r = norm(z)
  scale(z, r > block.c / rho and 1 - block.c / (rho * r) or 0)
end

-- The level x with sum max(|z| - x, 0) = mass, at least 0.
local function level(z, mass)
  local sum, order = 0, magnitudes(z)
  for i, at in ipairs(order) do
    sum = sum + math.abs(z[at])
    local x = (sum - mass) / i
    if i == #order or x >= math.abs(z[order[i + 1]]) then return math.max(x, 0) end
  end
end

-- c |u|_inf: what is above the level is cut off.
shrink.inf = function(z, block, rho)
  local x = level(z, block.c / rho)
  for i = 1, #z do z[i] = math.max(-x, math.min(x, z[i])) end
end

-- lo <= u <= hi
shrink.box = function(z, block)
  for i = 1, #z do z[i] = math.max(block.lo, math.min(block.hi, z[i])) end
end

-- |u|_2 <= radius
shrink.ball2 = function(z, block)
  local r = norm(z)
  if r > block.radius then scale(z, block.radius / r) end
end

-- |u|_1 <= radius
shrink.ball1 = function(z, block)
  local sum = 0
  for i = 1, #z do sum = sum + math.abs(z[i]) end
  if sum > block.radius then soft(z, level(z, block.radius)) end
end

-- u >= 0, sum u = radius: the shift is found by bisection.
shrink.simplex = function(z, block)
  local lo, hi = -1e3, 1e3
  for _ = 1, 100 do
    local mid, sum = (lo + hi) / 2, 0
    for i = 1, #z do sum = sum + math.max(z[i] - mid, 0) end
    if sum > block.radius then lo = mid else hi = mid end
  end
  for i = 1, #z do z[i] = math.max(z[i] - hi, 0) end
end

-- c/2 |u - to|^2
shrink.square = function(z, block, rho)
  for i = 1, #z do z[i] = (rho * z[i] + block.c * (block.to or 0)) / (rho + block.c) end
end

-- c sum huber(u_i; delta)
shrink.huber = function(z, block, rho)
  local t, delta = block.c / rho, block.delta
  for i = 1, #z do
    z[i] = math.abs(z[i]) <= delta * (1 + t) and z[i] / (1 + t) or z[i] - t * delta * sign(z[i])
  end
end

-- c/2 |u|_1^2: soft thresholding by c/rho x, x being the norm that is left.
shrink.exclusive = function(z, block, rho)
  local t, sum, x = block.c / rho, 0, 0
  for k, at in ipairs(magnitudes(z)) do
    sum = sum + math.abs(z[at])
    if math.abs(z[at]) > t * sum / (1 + k * t) then x = sum / (1 + k * t) end
  end
  soft(z, t * x)
end

-- sum_k c_k |u|_(k), c falling: pools of what would rise.
shrink.sorted = function(z, block, rho)
  local order, pools = magnitudes(z), {}
  for k, at in ipairs(order) do
    local p = { sum = math.abs(z[at]) - block.c[k] / rho, n = 1 }
    while #pools > 0 and pools[#pools].sum / pools[#pools].n <= p.sum / p.n do
      local last = table.remove(pools)
      p.sum, p.n = p.sum + last.sum, p.n + last.n
    end
    pools[#pools + 1] = p
  end
  local k = 0
  for _, p in ipairs(pools) do
    for _ = 1, p.n do
      k = k + 1
      z[order[k]] = sign(z[order[k]]) * math.max(p.sum / p.n, 0)
    end
  end
end

-- Eigenvalues on the diagonal of a, vectors as columns of v: Jacobi's rotations.
local function eigen(a)
  local n, v = #a, {}
  for i = 1, n do
    v[i] = {}
    for j = 1, n do v[i][j] = i == j and 1 or 0 end
  end
  local function rotate(p, q)
    if math.abs(a[p][q]) < 1e-300 then return end
    local angle = 0.5 * math.atan(2 * a[p][q], a[q][q] - a[p][p])
    local c, s = math.cos(angle), math.sin(angle)
    for k = 1, n do a[k][p], a[k][q] = c * a[k][p] - s * a[k][q], s * a[k][p] + c * a[k][q] end
    for k = 1, n do a[p][k], a[q][k] = c * a[p][k] - s * a[q][k], s * a[p][k] + c * a[q][k] end
    for k = 1, n do v[k][p], v[k][q] = c * v[k][p] - s * v[k][q], s * v[k][p] + c * v[k][q] end
  end
  for _ = 1, 30 do
    for p = 1, n do
      for q = p + 1, n do rotate(p, q) end
    end
  end
  return v
end

-- c times the sum of singular values of z as a matrix of `lines` rows: with Z Z' = V S^2 V',
-- V diag(max(0, 1 - c/(rho s))) V' Z.
shrink.nuclear = function(z, block, rho)
  local n, m = block.lines, #z // block.lines
  local gram, out = {}, {}
  for i = 1, n do
    gram[i] = {}
    for j = 1, n do
      local sum = 0
      for k = 1, m do sum = sum + z[(i - 1) * m + k] * z[(j - 1) * m + k] end
      gram[i][j] = sum
    end
  end
  local v = eigen(gram)
  for i = 1, #z do out[i] = 0 end
  for e = 1, n do
    local s = math.sqrt(math.max(gram[e][e], 0))
    local left = s > block.c / rho and 1 - block.c / (rho * s) or 0
    for k = 1, m do
      local part = 0
      for j = 1, n do part = part + v[j][e] * z[(j - 1) * m + k] end
      for i = 1, n do
        local at = (i - 1) * m + k
        out[at] = out[at] + left * v[i][e] * part
      end
    end
  end
  table.move(out, 1, #out, 1, z)
end

return shrink
