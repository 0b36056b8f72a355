-- What the house specs read: the files of the tree, and C without its comments and strings.
local tree = {}

local function lines_of(command)
  local out = {}
  local pipe = assert(io.popen(command))
  for line in pipe:lines() do out[#out + 1] = line end
  pipe:close()
  return out
end

local by_git = "git ls-files --cached --others --exclude-standard 2>/dev/null"
local by_find = "find * .[!.]* -type f ! -path 'build/*' ! -path '.git/*'"

local function tracked()
  local files = lines_of(by_git)
  return #files > 0 and files or lines_of(by_find)
end

--- The files of the repository whose path matches a pattern.
function tree.files(pattern)
  local out = {}
  for _, path in ipairs(tracked()) do
    local f = path:find(pattern) and io.open(path)
    if f then
      f:close()
      out[#out + 1] = path
    end
  end
  table.sort(out)
  return out
end

function tree.read(path)
  local f = assert(io.open(path, "rb"))
  local text = f:read "a"
  f:close()
  return text
end

local function blank(s) return (s:gsub("[^\n]", " ")) end

--- The code of a C file: comments and strings are blanked out, lines stay where they are.
function tree.code(path)
  local text = tree.read(path):gsub("/%*.-%*/", blank):gsub("//[^\n]*", "")
  return (text:gsub('\\"', ""):gsub('"[^"\n]*"', '""'))
end

--- Call f(where, line) for every line of a text.
function tree.each_line(path, text, f)
  local n = 0
  for line in (text .. "\n"):gmatch "(.-)\n" do
    n = n + 1
    f(("%s:%d"):format(path, n), line)
  end
end

return tree
