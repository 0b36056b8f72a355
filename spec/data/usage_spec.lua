-- Every example in the manual of lariat.data runs.
local lariat = require "lariat"
local tree = require "support.tree"

local function examples(text)
  local out, code = {}, nil
  for line in (text .. "\n"):gmatch "(.-)\n" do
    if line:find "^%-%- @usage" then
      code = { line:match "^%-%- @usage%s*(.*)" }
    elseif code and line:find "^%-%-" and not line:find "^%-%- @" then
      code[#code + 1] = line:match "^%-%-%s?(.*)"
    elseif code then
      out[#out + 1], code = table.concat(code, "\n"), nil
    end
  end
  return out
end

describe("lariat.data usage", function()
  for _, path in ipairs(tree.files "^lua/lariat/data/[%w_]+%.lua$") do
    local text = tree.read(path)
    local list = examples(text)
    it(path .. " is documented, and its example runs", function()
      assert.is_true(#list > 0)
      local name = path:match "([%w_]+)%.lua$"
      assert.is_truthy(text:find("\n-- @function " .. name .. "\n", 1, true))
      for _, code in ipairs(list) do
        local printed = {}
        local env = setmetatable({
          lariat = lariat,
          print = function(...) printed[#printed + 1] = table.pack(...) end,
        }, { __index = _G })
        assert(load(code, "=" .. path, "t", env))()
        assert.is_true(#printed > 0)
      end
    end)
  end
end)
