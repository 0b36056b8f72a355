--- Models as text; see @{lariat.nn}.
-- @submodule lariat.nn

local core = require "lariat.core"

local methods = core.module_methods

local function grouped(n)
  local s = tostring(n)
  repeat
    local more
    s, more = s:gsub("^(%d+)(%d%d%d)", "%1,%2")
  until more == 0
  return s
end

local function sizes_text(shape)
  if not shape then return "?" end
  local out = {}
  for d, size in ipairs(shape) do
    out[d] = size >= 0 and tostring(size) or d == 1 and "n" or "?"
  end
  return "(" .. table.concat(out, ", ") .. ")"
end

-- Elements, bytes and frozen elements by the prefix of the names ("2.1."), and in all.
local function tally(net)
  local by, total = {}, { numel = 0, bytes = 0, frozen = 0 }
  local function add(name, t, count)
    local prefix = name:match "^.*%." or ""
    by[prefix] = by[prefix] or { numel = 0, bytes = 0, frozen = 0 }
    for _, sum in ipairs { by[prefix], total } do
      sum.numel = sum.numel + (count and t.numel or 0)
      sum.frozen = sum.frozen + (count and not t.requires_grad and t.numel or 0)
      sum.bytes = sum.bytes + t.numel * (t.dtype == "float32" and 4 or 8)
    end
  end
  for name, p in net:parameters() do add(name, p, true) end
  for name, b in net:buffers() do add(name, b, false) end
  return by, total
end

local chains = { sequential = true, residual = true }

local function output_of(m, shape)
  local ok, out = pcall(m.output_shape, m, shape)
  return ok and out or nil
end

local function frozen_text(own)
  if own.frozen == 0 then return "" end
  return own.frozen == own.numel and "frozen" or "part frozen"
end

local nothing = { numel = 0, bytes = 0, frozen = 0 }

local function row_of(m, title, own, output)
  return {
    title .. m:signature():gsub("%(%)$", ""), sizes_text(output),
    own.numel > 0 and grouped(own.numel) or "", own.bytes > 0 and grouped(own.bytes) or "",
    frozen_text(own),
  }
end

-- One row for m and, below it, one for each layer inside. prefix: "2." for the names in "2".
local function add_rows(rows, m, title, prefix, input)
  local own = rows.by[prefix] or nothing
  rows[#rows + 1] = row_of(m, title, own, output_of(m, input))
  local shape, indent = input, title:match "^ *" .. (prefix == "" and "" or "  ")
  for name, child in m:children() do
    add_rows(rows, child, indent .. name .. "  ", prefix .. name .. ".", shape)
    if chains[m.kind] then shape = output_of(child, shape) end
  end
end

local function aligned(rows)
  local width, lines = { 0, 0, 0, 0, 0 }, {}
  for _, row in ipairs(rows) do
    for k, cell in ipairs(row) do width[k] = math.max(width[k], #cell) end
  end
  local shape = ("%%-%ds  %%-%ds  %%%ds  %%%ds  %%s")
    :format(width[1], width[2], width[3], width[4])
  for i, row in ipairs(rows) do
    lines[i] = shape:format(table.unpack(row)):gsub("%s+$", "")
  end
  return lines
end

--- The text that `print(net)` shows: a line a layer with the shape of its output (n samples;
-- `?` where a size is not known before a forward pass), its number of parameters, their bytes
-- and those of its buffers, and whether it is frozen. Sizes of images are known where those of
-- a sample are given.
-- @function model:describe
-- @tparam ?{integer,...} sample  sizes of one sample of the input
-- @treturn string
-- @usage
-- local lariat = require "lariat"
-- print(lariat.nn.sequential { lariat.nn.linear(784, 10), lariat.nn.softmax() })
-- print(lariat.nn.conv2d(1, 8, 3):describe { 1, 28, 28 })   -- (n, 8, 26, 26)
function methods:describe(sample)
  if sample ~= nil and type(sample) ~= "table" then
    error(("describe: the sizes of a sample are a list, not a %s"):format(type(sample)), 2)
  end
  local by, total = tally(self)
  local rows = { by = by, { "layer", "output", "parameters", "bytes", "" } }
  add_rows(rows, self, "", "", sample and { -1, table.unpack(sample) } or nil)
  local lines = aligned(rows)
  local frozen = total.frozen > 0 and (" (%s frozen)"):format(grouped(total.frozen)) or ""
  lines[#lines + 1] = ("%s parameter%s%s, %s bytes"):format(grouped(total.numel),
    total.numel == 1 and "" or "s", frozen, grouped(total.bytes))
  return table.concat(lines, "\n")
end
