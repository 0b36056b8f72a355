-- Delimited text: what RFC 4180 asks for, types, missing values, and text that is no table.
local lariat = require "lariat"
local shell = require "support.shell"

local parse = lariat.data.parse

local function wide(text, options)
  local o = { dtype = "float64" }
  for key, value in pairs(options or {}) do o[key] = value end
  return parse(text, o)
end

local function rows(d) return d.x:totable() end

-- A text in a file of that name; f gets the path.
local function with_file(name, text, f)
  local folder = os.tmpname()
  os.remove(folder)
  os.execute("mkdir " .. shell.quote(folder))
  local path = folder .. "/" .. name
  shell.write(path, text)
  local ok, why = pcall(f, path, folder)
  os.execute("rm -r " .. shell.quote(folder))
  if not ok then error(why, 0) end
end

local function refused(sentence, text, options)
  local d, why = parse(text, options)
  assert.is_nil(d)
  assert.equal("data.parse: text" .. sentence, why)
end

describe("csv fields", function()
  it("are numbers between separators", function()
    local d = wide "a,b\n1,2.5\n-3e2,.5\n+7,8.\n"
    assert.same({ { 1, 2.5 }, { -300, 0.5 }, { 7, 8 } }, rows(d))
    assert.same({ "a", "b" }, d.names)
  end)

  it("hold separators, line ends and doubled quotes when quoted", function()
    local d = parse '"a ""b""",c\r\n"x,y",1\r\n"two\nlines",2\r\n"say ""hi""",3\r\n'
    assert.same({ 'a "b"=say "hi"', 'a "b"=two\nlines', 'a "b"=x,y', "c" }, d.names)
    assert.same({ { 0, 0, 1, 1 }, { 0, 1, 0, 2 }, { 1, 0, 0, 3 } }, rows(d))
  end)

  it("may be quoted numbers, with blanks around", function()
    assert.same({ { 1, 2 }, { 3, 4 } }, rows(wide 'a,b\n "1" ,\t2\n3 , "4"\n'))
  end)

  it("end in LF, CRLF or CR, the last one in nothing", function()
    for _, eol in ipairs { "\n", "\r\n", "\r" } do
      local d = wide((("a,b;1,2;3,4"):gsub(";", eol)))
      assert.same({ { 1, 2 }, { 3, 4 } }, rows(d))
    end
  end)

  it("come after a UTF-8 mark, blank lines and comments", function()
    local text = "\xef\xbb\xbf\n# made by hand\na,b\n\n1,2\n   \n# more\n3,4\n\n"
    assert.same({ { 1, 2 }, { 3, 4 } }, rows(wide(text, { comment = "#" })))
  end)

  it("are told apart by the commonest of , ; tab |", function()
    for _, sep in ipairs { ",", ";", "\t", "|" } do
      assert.same({ { 1, 2, 3 } }, rows(wide((("a;b;c\n1;2;3\n"):gsub(";", sep)))))
    end
    assert.same({ { 1, 2, 3 } }, rows(wide('"x;y;z;w",b,c\n1,2,3\n')))
  end)

  it("may have a decimal comma, or any run of blanks between them", function()
    assert.same({ { 1.5, 2 }, { -0.25, 1e10 } },
      rows(wide("a;b\n1,5;2\n-0,25;1e10\n", { decimal = "," })))
    assert.same({ { 1, 2, 3 }, { 4, 5, 6 } },
      rows(wide("  1 2   3\n4\t5 6  \n", { sep = " " })))
  end)

  it("keep an empty field after the last tab", function()
    local d = wide "a\tb\tc\n1\t\t\n\t\t3\n"
    assert.equal(2, #d)
    assert.equal(3, d.x:at(2, 3))
    assert.is_true(d.x:at(1, 2) ~= d.x:at(1, 2))
  end)

  it("are read to the last bit", function()
    local numbers = {
      0.1, 1 / 3, 123456789.123456789, 5e-324, 1.7976931348623157e308, 2 ^ 53 + 2, 1e23,
      9007199254740993, 4.35, 8.5e-23, 2.2250738585072011e-308, math.pi * 1e200,
    }
    local lines = { "a" }
    for k, x in ipairs(numbers) do lines[k + 1] = ("%.17g"):format(x) end
    lines[#lines + 1] = "0.1000000000000000055511151231257827021181583404541015625"
    lines[#lines + 1] = "00000000000000000000000000000000000001"
    lines[#lines + 1] = "123456789012345678901234567890"
    local d = wide(table.concat(lines, "\n"))
    for k, x in ipairs(numbers) do assert.equal(x + 0.0, d.x:at(k, 1)) end
    assert.equal(0.1, d.x:at(#numbers + 1, 1))
    assert.equal(1, d.x:at(#numbers + 2, 1))
    assert.equal(123456789012345678901234567890, d.x:at(#numbers + 3, 1))
  end)

  it("do not depend on the locale", function()
    local before = os.setlocale(nil, "numeric")
    if os.setlocale("de_DE.UTF-8", "numeric") then
      assert.equal(0.12345678901234567, wide("a\n0.12345678901234567\n").x:at(1, 1))
    end
    os.setlocale(before, "numeric")
  end)

  it("may be infinite", function()
    assert.same({ { math.huge }, { -math.huge }, { 1 } }, rows(wide "a\ninf\n-Infinity\n1\n"))
  end)
end)

describe("csv header", function()
  it("is there unless the first line has a number", function()
    assert.same({ "x1", "x2=b", "x2=c" }, parse("1,b\n2,c\n").names)
    assert.equal(2, #parse "1,2\n3,4\n")
    assert.equal(1, #parse "a,b\n3,4\n")
  end)

  it("can be said to be there or not", function()
    assert.same({ "1990", "1991" }, parse("1990,1991\n3,4\n", { header = true }).names)
    local d = parse("a,1\nb,2\n", { header = false })
    assert.same({ "x1=a", "x1=b", "x2" }, d.names)
  end)

  it("gives every column a name of its own", function()
    assert.same({ "a", "a_2", "x3", "a_3" }, parse("a,a,,a\n1,2,3,4\n").names)
  end)

  it("comes after skipped lines", function()
    assert.same({ "a", "b" }, parse("title\nmade, by, hand\na,b\n1,2\n", { skip = 2 }).names)
  end)
end)

describe("csv columns", function()
  local text = "id,size,color,ok,day\n7,1.5,red,yes,2024-01-31\n8,2,blue,no,2024-02-01\n"
    .. "9,3,red,yes,2024-02-02\n"

  it("have types", function()
    local d = parse(text)
    assert.same({ id = "integer", size = "number", color = "category", ok = "boolean",
      day = "date" }, d.types)
    assert.same({ color = { "blue", "red" } }, d.levels)
    assert.same({ "id", "size", "color=blue", "color=red", "ok" }, d.names)
    assert.same({ { 7, 1.5, 0, 1, 1 }, { 8, 2, 1, 0, 0 }, { 9, 3, 0, 1, 1 } }, rows(d))
    assert.same({ "2024-01-31", "2024-02-01", "2024-02-02" }, d.text.day)
    assert.equal("float32", d.x.dtype)
  end)

  it("can be of a type that is asked for", function()
    local d = parse(text, { types = { id = "string", size = "category", day = "category" },
      columns = { "id", "size", "day" } })
    assert.same({ "7", "8", "9" }, d.text.id)
    assert.same({ "1.5", "2", "3" }, d.levels.size)
    assert.equal(6, d.x.shape[2])
    refused(":3: 'x' in column 'a' is not a number", "a\n1\nx\n", { types = { a = "number" } })
    refused(":3: '1.5' in column 'a' is not an integer", "a\n1\n1.5\n",
      { types = { a = "integer" } })
    refused(":2: 'maybe' in column 'a' is not true or false", "a\nmaybe\n",
      { types = { a = "boolean" } })
  end)

  it("are chosen and dropped by name or number", function()
    assert.same({ "size", "id" }, parse(text, { columns = { "size", "id" } }).names)
    assert.same({ "id", "ok" }, parse(text, { drop = { "color", 2, -1 } }).names)
    local d = parse(text, { drop = "color", target = "size", columns = { 1, 2, 3 } })
    assert.same({ "id" }, d.names)
  end)

  it("become codes, or stay away, instead of one-hot columns", function()
    local d = parse(text, { categories = "code", columns = { "color" } })
    assert.same({ { 2 }, { 1 }, { 2 } }, rows(d))
    assert.same({ "color" }, d.names)
    assert.same({ "id", "size", "ok" }, parse(text, { categories = "drop" }).names)
  end)

  it("of many texts stay strings", function()
    local lines = { "name,v" }
    for k = 1, 50 do lines[k + 1] = ("person %d,%d"):format(k, k) end
    local d = parse(table.concat(lines, "\n"), { max_levels = 49 })
    assert.equal("string", d.types.name)
    assert.equal("person 50", d.text.name[50])
    assert.same({ "v" }, d.names)
    assert.equal(51, parse(table.concat(lines, "\n")).x.shape[2])
  end)

  it("of numbers with a stray word are refused", function()
    local lines = { "v" }
    for k = 1, 20 do lines[k + 1] = tostring(k) end
    lines[12] = "-"
    refused(":12: '-' in column 'v', where most are numbers; if it stands for a missing "
      .. "value, list it in `missing`", table.concat(lines, "\n"))
    assert.equal(20, #parse(table.concat(lines, "\n"), { missing = { "-" } }))
  end)

  it("sort numeric levels by value, others by bytes", function()
    local d = parse("a,b\n10,x\n9,X\n-1,ab\n", { types = { a = "category" } })
    assert.same({ "-1", "9", "10" }, d.levels.a)
    assert.same({ "X", "ab", "x" }, d.levels.b)
  end)
end)

describe("csv target", function()
  it("of numbers is a float vector", function()
    local d = wide("a,price\n1,10\n2,20.5\n", { target = "price" })
    assert.same({ 10, 20.5 }, d.y:totable())
    assert.equal("float64", d.y.dtype)
    assert.same({ "a" }, d.names)
    assert.equal("price", d.target)
    assert.is_nil(d.classes)
  end)

  it("of anything else is a vector of classes", function()
    local d = parse("a,kind\n1,cat\n2,dog\n3,ant\n4,dog\n", { target = -1 })
    assert.same({ 2, 3, 1, 3 }, d.y:totable())
    assert.equal("int64", d.y.dtype)
    assert.same({ "ant", "cat", "dog" }, d.classes)
    assert.same({ "no", "yes" }, parse("a,k\n1,yes\n2,no\n", { target = "k" }).classes)
  end)

  it("can be made classes, or 0 and 1", function()
    local d = parse("a,k\n1,3\n2,10\n3,3\n", { target = "k", types = { k = "category" } })
    assert.same({ 1, 2, 1 }, d.y:totable())
    assert.same({ "3", "10" }, d.classes)
    d = parse("a,k\n1,yes\n2,no\n", { target = "k", types = { k = "boolean" } })
    assert.same({ 1, 0 }, d.y:totable())
    assert.equal("float32", d.y.dtype)
  end)

  it("takes as many classes as there are", function()
    local lines = { "a,k" }
    for k = 1, 300 do lines[k + 1] = ("%d,name %03d"):format(k, k) end
    local d = parse(table.concat(lines, "\n"), { target = "k" })
    assert.equal(300, #d.classes)
    assert.equal(300, d.y[300])
  end)
end)

describe("csv missing values", function()
  local text = "a,b,y\n1,,1\nNA,x,2\n3,z,\n5,x,4\n"

  it("are NaN in x", function()
    local x = wide(text).x
    for _, at in ipairs { { 2, 1 }, { 1, 2 }, { 1, 3 }, { 3, 4 } } do
      local v = x:at(at[1], at[2])
      assert.is_true(v ~= v)
    end
    assert.same({ 5, 1, 0, 4 }, x[4]:totable())
  end)

  it("can be dropped, averaged, refused", function()
    local d = wide(text, { target = "y", on_missing = "drop" })
    assert.same({ { 5, 1, 0 } }, rows(d))
    assert.same({ 4 }, d.y:totable())
    d = wide(text, { columns = { "a", "b" }, on_missing = "mean" })
    assert.same({ { 1, 2 / 3, 1 / 3 }, { 3, 1, 0 }, { 3, 0, 1 }, { 5, 1, 0 } }, rows(d))
    refused(":2: column 'b' is missing, and on_missing is 'error'", text,
      { on_missing = "error" })
  end)

  it("of the target are kept only where it is a number", function()
    local d = wide(text, { target = "y" })
    assert.is_true(d.y[3] ~= d.y[3])
    refused(":2: the target 'b' is missing; on_missing = 'drop' leaves such rows out", text,
      { target = "b" })
    refused(":4: the target 'y' is missing; on_missing = 'drop' leaves such rows out", text,
      { target = "y", on_missing = "mean" })
  end)

  it("are the words one says they are", function()
    local d = parse("a\n-9\n1\nnone\n", { missing = { "-9", "none" } })
    assert.same({ a = "integer" }, d.types)
    assert.equal(1, d.x:at(2, 1))
    assert.is_true(d.x:at(1, 1) ~= d.x:at(1, 1))
  end)

  it("can be all there is", function()
    assert.equal("number", parse("a,b\n,1\n,2\n").types.a)
    refused(": column 'a' has no values to take a mean of", "a,b\n,1\n,2\n",
      { on_missing = "mean" })
    refused(": no row is without missing values", "a,b\n,1\n,2\n", { on_missing = "drop" })
  end)
end)

describe("csv that is no table", function()
  it("has ragged rows, told with line and counts", function()
    refused(":3: 1 field, the header has 2", "a,b\n1,2\n3\n")
    refused(":3: 3 fields, the header has 2", "a,b\n1,2\n3,4,5\n6,7\n")
    refused(":2: 3 fields, the first row has 2", "1,2\n3,4,5")
    refused(":4: 3 fields, the header has 2", 'a,b\n1,"x\ny"\n3,4,5')
    with_file("house.csv", "a,b,c,d,e,f\n1,2,3,4,5\n", function(path)
      local d, why = lariat.data.csv(path)
      assert.is_nil(d)
      assert.equal("data.csv: " .. path .. ":2: 5 fields, the header has 6", why)
    end)
  end)

  it("has quotes that do not close, or close too early", function()
    refused(":3: the quote that opens here is not closed", 'a,b\n1,2\n3,"x\ny\n')
    refused(":2: 'y' after the closing quote of a field", 'a,b\n1,"x"y\n')
    assert.same({ b = { '5"' } }, parse('a,b\n1,5"\n').levels)
    assert.same({ b = { '"5' } }, parse('a,b\n1,"5\n', { quote = false }).levels)
  end)

  it("is empty, or only a header", function()
    refused(": there is nothing in it", "")
    refused(": there is nothing in it", "\n\n  \n")
    refused(": there is a header and no row", "a,b\n")
    refused(": there is nothing in it", "a,b\n1,2\n", { skip = 5 })
  end)

  it("is something else", function()
    refused(":2: a zero byte; this is not text", "a,b\n1,\0\n")
    refused(":1: a zero byte; this is not text", "a \0 b\n", { sep = " " })
    refused(": this is UTF-16; save it as UTF-8", "\xff\xfea\0,\0b\0")
    refused(": no column holds numbers or categories, so there is nothing for x",
      "day\n2024-01-01\n")
  end)

  it("is not there", function()
    local d, why = lariat.data.csv "no-such.csv"
    assert.is_nil(d)
    assert.equal("data.csv: no-such.csv: No such file or directory", why)
    d, why = lariat.data.csv "/"
    assert.is_nil(d)
    assert.equal("data.csv: /: Is a directory", why)
  end)
end)

describe("csv files", function()
  it("may be gzipped, in several members", function()
    with_file("d.csv", "a,b\n1,2\n", function(path, folder)
      local gz = shell.quote(path .. ".gz")
      os.execute(("gzip -c %s > %s"):format(shell.quote(path), gz))
      shell.write(folder .. "/more", "3,4\n")
      os.execute(("gzip -c %s >> %s"):format(shell.quote(folder .. "/more"), gz))
      assert.same({ { 1, 2 }, { 3, 4 } }, rows(assert(lariat.data.csv(path .. ".gz"))))
    end)
  end)

  it("say so when the gzip data is cut off or damaged", function()
    local lines = {}
    for k = 1, 2000 do lines[k] = ("%d,%d"):format(k, k * k) end
    with_file("d.csv", table.concat(lines, "\n"), function(path)
      os.execute("gzip " .. shell.quote(path))
      local f = assert(io.open(path .. ".gz", "rb"))
      local bytes = f:read "a"
      f:close()
      shell.write(path, bytes:sub(1, #bytes // 2))
      local d, why = lariat.data.csv(path)
      assert.is_nil(d)
      assert.equal(("data.csv: %s: the gzip data ends too early"):format(path), why)
      shell.write(path, bytes:sub(1, 100) .. ("\xff"):rep(50) .. bytes:sub(151))
      d, why = lariat.data.csv(path)
      assert.is_nil(d)
      assert.is_truthy(why:find("broken gzip data", 1, true))
      assert.equal(2000, #lariat.data.parse(bytes .. "\0\0\0", { header = false }))
    end)
  end)

  it("may be large: no Lua value is made for a cell", function()
    local lines, n = { "a,b,c" }, 200000
    for k = 1, n do lines[k + 1] = ("%d,%.6f,%d"):format(k, k / 7, k % 10) end
    local text = table.concat(lines, "\n")
    collectgarbage()
    collectgarbage "stop"
    local before = collectgarbage "count"
    local d = parse(text, { target = "c" })
    local grown = collectgarbage "count" - before
    collectgarbage "restart"
    assert.equal(n, #d)
    assert.equal(n, d.x:at(n, 1))
    assert.is_true(grown < 64, grown .. " KB")
  end)

  it("of one column, one row, many columns", function()
    assert.same({ { 5 } }, rows(parse("5", { header = false })))
    local names, values = {}, {}
    for k = 1, 3000 do names[k], values[k] = "c" .. k, k end
    local d = parse(table.concat(names, ",") .. "\n" .. table.concat(values, ","))
    assert.equal(3000, d.x:at(1, 3000))
  end)
end)

describe("csv options", function()
  local function raises(sentence, options)
    local ok, why = pcall(parse, "size,price\n1,2\n", options)
    assert.is_false(ok)
    assert.equal(sentence, why)
  end

  it("are known, or the nearest is named", function()
    raises("data.parse: unknown key 'targt'; did you mean 'target'?", { targt = "price" })
    raises("data.parse: text: target 'prise' is not a column; did you mean 'price'?",
      { target = "prise" })
    raises("data.parse: text: columns 'sice' is not a column; did you mean 'size'?",
      { columns = { "sice" } })
    raises("data.parse: text: drop 3 is not one of the 2 columns", { drop = 3 })
    raises("data.parse: text: types: 'numbr' is not a type; did you mean 'number'?",
      { types = { size = "numbr" } })
    raises("data.parse: text: no column is left for x", { drop = { "size", "price" } })
    raises("data.parse: text: drop names the target 'price'",
      { drop = "price", target = "price" })
    raises("data.parse: text: the target 'price' is to be a number or a category, not a string",
      { target = "price", types = { price = "string" } })
  end)

  it("have values that make sense", function()
    raises("data.parse: on_missing is 'skip'; it can be 'nan', 'drop', 'mean', 'error'",
      { on_missing = "skip" })
    raises("data.parse: sep is a single character, not ::", { sep = "::" })
    raises("data.parse: '1' cannot separate columns", { sep = "1" })
    raises("data.parse: ',' cannot separate columns", { sep = ",", decimal = "," })
    raises("data.parse: skip must be an integer of at least 0, not -1", { skip = -1 })
    raises("data.parse: header is true, false or 'auto', not 1", { header = 1 })
    raises("data.parse: dtype is 'int64'; it can be 'float32', 'float64'", { dtype = "int64" })
    raises("data.parse: missing is a list of strings; found -9", { missing = { -9 } })
    raises("data.parse: types is a table, not a string", { types = "number" })
    raises("data.parse: options are a table, not a string", "price")
    assert.has_error(function() parse(3) end, "data.parse: the text is a string, not a number")
    assert.has_error(function() lariat.data.csv() end,
      "data.csv: the path is a string, not a nil")
  end)

  it("blame the line of the caller", function()
    local ok, why = pcall(load("local l = ...\n\nl.data.parse('a', {se = 1})", "=here"), lariat)
    assert.is_false(ok)
    assert.equal("here:3: data.parse: unknown key 'se'; did you mean 'sep'?", why)
  end)
end)
