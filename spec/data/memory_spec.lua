-- Failing each allocation in turn: an error, nothing leaked, and the next call works.
local lariat = require "lariat"
local shell = require "support.shell"

local core, data = lariat.core, lariat.data

local function live()
  collectgarbage()
  collectgarbage()
  return (core.mem_live())
end

-- f until it succeeds, with the n-th allocation failing; what fails leaves no block behind.
local function holds(f)
  f()
  local before = live()
  for n = 0, 10000 do
    core.mem_fail_after(n)
    local ok, why = pcall(f)
    core.mem_fail_after(-1)
    assert.equal(before, live(), "leaked at allocation " .. n)
    if ok then return n end
    assert.is_truthy(tostring(why):find "out of memory", tostring(why))
  end
  error "never succeeded"
end

describe("data without memory", function()
  local text = 'a,"b ""x""",c,d\n1,red,yes,2024-01-01\n2,blue,no,2024-01-02\n,red,yes,x\n'

  local function silent(f) return function() assert(f()) end end

  it("parses", function()
    assert.is_true(holds(silent(function() return data.parse(text) end)) > 5)
    holds(silent(function()
      return data.parse(text, { target = "c", on_missing = "drop", categories = "code" })
    end))
    holds(silent(function() return data.parse(text, { on_missing = "mean", target = 2 }) end))
  end)

  it("fails to parse", function()
    local before = live()
    for n = 0, 12 do
      core.mem_fail_after(n)
      pcall(data.parse, "a,b\n1,x\n2,y\n3\n")
      core.mem_fail_after(-1)
      assert.equal(before, live())
    end
  end)

  it("gives the sets inside, splits and standardizes them", function()
    holds(silent(data.iris))
    holds(function() data.diabetes { scaled = true } end)
    local d = data.iris()
    holds(function() data.split(d, { 0.8, 0.2 }, { seed = 1, stratify = true }) end)
    holds(function() data.standardize(d) end)
    holds(function() data.one_hot(d.y, 3) end)
    holds(function()
      for _ in data.batches { x = d.x, y = d.y, shuffle = true, seed = 1 } do end
    end)
  end)

  it("reads and writes files", function()
    local path = os.tmpname()
    data.save_npy(path, lariat.ones(3, 2))
    holds(silent(function() return data.npy(path) end))
    holds(silent(function() return data.save_npy(path, lariat.ones(2, 3):t()) end))
    shell.write(path, "\0\0\8\2\0\0\0\1\0\0\0\2ab")
    os.execute("gzip -f " .. path)
    holds(silent(function() return data.idx(path .. ".gz") end))
    os.remove(path .. ".gz")
  end)

  it("closes a table early", function()
    local f <close> = core.frame("t", "a\n1\n", {})
    f:close()
    assert.has_error(function() f:names() end, "this table has been closed")
    f:close()
  end)
end)
