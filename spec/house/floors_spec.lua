-- The floors of the house: a file includes its own folder and those below, no others.
local tree = require "support.tree"

local below = {
  core = "",
  kern = "core",
  op = "kern core",
  grad = "op kern core",
  nn = "grad op kern core",
  loss = "grad op kern core",
  penalty = "grad op kern core",
  optim = "penalty grad op kern core",
  io = "kern core",
  train = "optim nn loss penalty grad op kern core io",
  family = "kern core",
  solver = "family penalty grad op kern core",
  glm = "solver family penalty grad op kern core",
  bind = "*",
  main = "*",
}

local lua_headers = {
  ["lua.h"] = true, ["luaconf.h"] = true, ["lualib.h"] = true, ["lauxlib.h"] = true,
}

local function has(list, word) return (" " .. list .. " "):find(" " .. word .. " ", 1, true) end

-- The heads of C files on the floors that have never heard of Lua.
local function core_files()
  local out = {}
  for _, path in ipairs(tree.files "^src/%l+/.*%.[ch]$") do
    if below[path:match "^src/(%l+)/"] ~= "*" then out[#out + 1] = path end
  end
  return out
end

local function report(wrong) assert.equal("", table.concat(wrong, "\n")) end

describe("floors", function()
  it("every folder of src/ is one of them", function()
    for _, path in ipairs(tree.files "^src/%l+/") do
      assert.is_string(below[path:match "^src/(%l+)/"], path)
    end
  end)

  for floor, allowed in pairs(below) do
    it(floor .. " looks only downwards", function()
      local wrong = {}
      for _, path in ipairs(tree.files("^src/" .. floor .. "/.*%.[ch]$")) do
        tree.each_line(path, tree.read(path), function(where, line)
          local name = line:match '^%s*#%s*include%s+"([^"]+)"'
          local folder = name and (name:match "^(%l+)/" or name)
          if folder and allowed ~= "*" and folder ~= floor and not has(allowed, folder) then
            wrong[#wrong + 1] = ("%s: %s may not include %s"):format(where, floor, name)
          end
        end)
      end
      report(wrong)
    end)
  end

  it("lua.h is known to bind and main only", function()
    local wrong = {}
    for _, path in ipairs(core_files()) do
      tree.each_line(path, tree.read(path), function(where, line)
        local name = line:match '^%s*#%s*include%s*[<"]([^>"]+)'
        if name and lua_headers[name:match "[^/]*$"] then
          wrong[#wrong + 1] = where .. ": " .. name
        end
      end)
    end
    report(wrong)
  end)

  local function forbid(title, words, files, exempt)
    it(title, function()
      local wrong = {}
      for _, path in ipairs(files) do
        if path ~= exempt then
          tree.each_line(path, tree.code(path), function(where, line)
            for _, word in ipairs(words) do
              local before = line:match("(.?)%f[%w_]" .. word)
              if before and before ~= "." and before ~= ">" then
                wrong[#wrong + 1] = where .. ": " .. line
              end
            end
          end)
        end
      end
      report(wrong)
    end)
  end

  forbid("only core/mem.c allocates",
    { "malloc%s*%(", "calloc%s*%(", "realloc%s*%(", "free%s*%(", "strdup%s*%(",
      "aligned_alloc%s*%(", "posix_memalign%s*%(" },
    tree.files "^src/.*%.[ch]$", "src/core/mem.c")
  forbid("below bind nothing prints, exits, aborts or asserts",
    { "printf%s*%(", "puts%s*%(", "putchar%s*%(", "perror%s*%(", "exit%s*%(", "_exit%s*%(",
      "abort%s*%(", "assert%s*%(", "stderr", "stdout" },
    core_files())
end)
