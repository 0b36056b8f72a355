-- Convolutions of typical shapes, forward and with both derivatives, in float32, against
-- PyTorch at the same number of threads, in one run. An argument is a pattern: rows whose names
-- it matches are measured; a second, "forward", leaves the derivatives out.

local lariat = require "lariat"
local peer = require "spec.support.peer"

local only, part = arg and arg[1] or "", arg and arg[2] or "backward"

-- n, c, h, w; outputs, kernel (rows, columns), stride, padding, dilation, groups
local SHAPES = {
  { "digits 1", 64, 1, 28, 28, 32, 3, 3, 1, 0, 1, 1 },
  { "digits 2", 64, 32, 26, 26, 64, 3, 3, 1, 0, 1, 1 },
  { "lenet 2, 5 by 5", 64, 6, 14, 14, 16, 5, 5, 1, 0, 1, 1 },
  { "colours", 32, 3, 32, 32, 64, 3, 3, 1, 1, 1, 1 },
  { "3 by 3, 64 wide", 16, 64, 32, 32, 64, 3, 3, 1, 1, 1, 1 },
  { "3 by 3, 256 wide", 8, 256, 14, 14, 256, 3, 3, 1, 1, 1, 1 },
  { "3 by 3, 512 wide", 8, 512, 7, 7, 512, 3, 3, 1, 1, 1, 1 },
  { "3 by 3, stride 2", 16, 64, 32, 32, 128, 3, 3, 2, 1, 1, 1 },
  { "7 by 7, stride 2", 8, 3, 112, 112, 64, 7, 7, 2, 3, 1, 1 },
  { "5 by 5", 16, 32, 28, 28, 64, 5, 5, 1, 2, 1, 1 },
  { "1 by 1", 16, 64, 28, 28, 256, 1, 1, 1, 0, 1, 1 },
  { "1 by 1, stride 2", 16, 128, 28, 28, 256, 1, 1, 2, 0, 1, 1 },
  { "dilation 2", 16, 64, 28, 28, 64, 3, 3, 1, 2, 2, 1 },
  { "4 groups", 16, 128, 28, 28, 128, 3, 3, 1, 1, 1, 4 },
  { "each channel alone", 16, 64, 56, 56, 64, 3, 3, 1, 1, 1, 64 },
  { "sequences", 32, 64, 1, 256, 64, 1, 5, 1, 0, 1, 1 },
}

local SOURCE = [[
import time, torch
torch.set_num_threads(THREADS)
CLOCK = time.perf_counter
def job(name, n, c, h, w, o, kh, kw, s, p, d, g):
    x = torch.randn(n, c, h, w, requires_grad=True)
    k = torch.randn(o, c // g, kh, kw, requires_grad=True)
    b = torch.randn(o, requires_grad=True)
    pad = (p if h > 1 else 0, p)
    slope = torch.ones_like(torch.nn.functional.conv2d(x, k, b, s, pad, d, g))
    def once():
        y = torch.nn.functional.conv2d(x, k, b, s, pad, d, g)
        if PART != "forward":
            torch.autograd.grad(y, (x, k, b), slope)
    once()
    best = 1e9
    for _ in range(25):
        start = CLOCK()
        once()
        best = min(best, CLOCK() - start)
    print(name.replace(" ", "_"), best, flush=True)
]]

local rows, calls = {}, {}
for _, s in ipairs(SHAPES) do
  local name, n, c, h, w, o, kh, kw, stride, pad, dilation, groups = table.unpack(s)
  if name:find(only, 1, true) then
    local slopes = { requires_grad = part ~= "forward" }
    local x, k = lariat.randn(n, c, h, w, slopes), lariat.randn(o, c // groups, kh, kw, slopes)
    local b = lariat.randn(o, slopes)
    local options = {
      stride = stride, padding = { h > 1 and pad or 0, pad }, dilation = dilation,
      groups = groups,
    }
    local slope = lariat.ones(lariat.conv2d(x, k, b, options).shape)
    rows[#rows + 1] = { name, peer.time(function(m)
      for _ = 1, m do
        local y = lariat.conv2d(x, k, b, options)
        if part ~= "forward" then
          y:backward(slope)
          x.grad, k.grad, b.grad = nil, nil, nil
        end
      end
    end, 0.1, 8) }
    calls[#calls + 1] = ("job(%q, %s)"):format(name, table.concat(s, ", ", 2))
  end
end

local given = { THREADS = lariat.threads(), PART = ("%q"):format(part) }
local source = SOURCE:gsub("%u+", given)
local theirs, why = peer.python(source .. table.concat(calls, "\n"), "torch")
if not theirs then print(why) end
for _, r in ipairs(rows) do r[3] = theirs and theirs[r[1]:gsub(" ", "_")] end
peer.report("Convolutions, " .. part .. ", float32.", "PyTorch", rows)
