--- Delimited text, from memory.
-- @submodule lariat.data

local reader = require "lariat.data.support.table"

--- A data set from delimited text in memory (gzipped bytes will do); options as for `csv`.
-- @function parse
-- @tparam string text
-- @tparam[opt] table options see `csv`
-- @shape x (n, p), y (n)
-- @return a data set; or nil and a sentence with the line
-- @raise an unknown key; a column that does not exist
-- @usage
-- local d = lariat.data.parse("size,color,price\n1,red,10\n2,blue,30\n", { target = "price" })
-- print(d.x, table.concat(d.names, " "))   --> size color=blue color=red
return function(text, options)
  if type(text) ~= "string" then
    error(("data.parse: the text is a string, not a %s"):format(type(text)), 2)
  end
  local d, why = reader.read("data.parse", "text", text, options)
  return d, why
end
