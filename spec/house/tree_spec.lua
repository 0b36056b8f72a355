-- What the tree looks like: its top, its entries, its headers, what it refers to.
local tree = require "support.tree"

local function set(names)
  local out = {}
  for name in names:gmatch "%S+" do out[name] = true end
  return out
end

local top = set "Makefile src lua examples spec README.md LICENSE"
local system = set "bin dev etc lib lib64 opt proc sys tmp usr var"
local folder_of = {
  op = "op", layer = "nn", loss = "loss", penalty = "penalty", rule = "optim",
  family = "family", solver = "solver",
}

local function exists(path)
  local f = io.open(path)
  if f then f:close() end
  return f ~= nil
end

-- A path without its dots; nil when it climbs out of the tree.
local function resolve(path)
  local parts = {}
  for part in path:gmatch "[^/]+" do
    if part == ".." then
      if #parts == 0 then return nil end
      parts[#parts] = nil
    elseif part ~= "." then
      parts[#parts + 1] = part
    end
  end
  return table.concat(parts, "/")
end

local function text_files()
  local out = {}
  for _, path in ipairs(tree.files ".") do
    if not path:find "%.gz$" then out[#out + 1] = path end
  end
  return out
end

describe("tree", function()
  it("has seven visible names at the top", function()
    for _, path in ipairs(tree.files ".") do
      local name = path:match "^[^/]+"
      assert.is_truthy(top[name] or name:sub(1, 1) == ".", path)
    end
  end)

  it("names an entry as its file, in the folder of its kind", function()
    for _, path in ipairs(tree.files "^src/.*%.c$") do
      for kind, name in ("\n" .. tree.read(path)):gmatch "\nLAR_ENTRY%((%l+), *([%w_]+)%)" do
        assert.equal(("src/%s/%s.c"):format(folder_of[kind], name), path)
      end
    end
  end)

  it("guards every header with its own name", function()
    for _, path in ipairs(tree.files "^src/.*%.h$") do
      local name = path:match "^src/(.*)%.h$":upper():gsub("[^%w]", "_")
      local guard = name == "LARIAT" and "LARIAT_H" or "LAR_" .. name .. "_H"
      assert.is_truthy(tree.read(path):find("#ifndef " .. guard .. "\n", 1, true),
        path .. " lacks " .. guard)
    end
  end)

  it("opens every Lua module with a line for the manual", function()
    for _, path in ipairs(tree.files "^lua/.*%.lua$") do
      assert.is_truthy(tree.read(path):find "^%-%-%- %S", path)
    end
  end)

  it("refers to nothing outside itself", function()
    for _, path in ipairs(text_files()) do
      local folder = path:match "^(.*)/[^/]*$" or ""
      tree.each_line(path, tree.read(path), function(where, line)
        for way in line:gmatch "%.%./[%w_./-]*%w" do
          local target = resolve(folder .. "/" .. way) or "?"
          assert.is_truthy(exists(target), where .. ": " .. way)
        end
        line = line:gsub("%.%.%s*[\"']/", "") -- a path that is put together from parts
        for root in (" " .. line):gmatch "[%s\"'`=(]/(%l[%w_-]+)/" do
          assert.is_truthy(system[root], where .. ": /" .. root)
        end
      end)
    end
  end)
end)
