--- Delimited text, from a file.
-- @submodule lariat.data

local reader = require "lariat.data.support.table"

--- Read a CSV file, plain or gzipped, as a data set.
--
-- Fields may be quoted (RFC 4180: separators, line ends and doubled quotes inside); lines end
-- in LF, CRLF or CR; blank lines are skipped, blanks around fields are dropped, a UTF-8 mark at
-- the start is ignored. Each column is, in this order, `number` or `integer`; `boolean` (true
-- false yes no, any case: 1 and 0); `date` (2024-05-31 and the like); `category`; or, with
-- more than `max_levels` different texts, `string`. Dates and strings stay out of x, as lists
-- in `d.text`. `d.types` has the kind of each column, `d.levels` those of each category.
--
-- Options, all of them optional:
--
-- - `target`: the column that becomes y, by name or number (-1: the last). Numbers make a
--   float target; anything else becomes int64 classes 1..K, with their names in `d.classes`,
--   sorted (by value where all are numbers). `types = {digit = "category"}` makes classes of
--   numbers, `"boolean"` makes 0 and 1 of yes and no.
-- - `columns`, `drop`: which columns go into x, and which do not; names or numbers.
-- - `types`: a table from names (or numbers) to `number integer boolean category date string`.
-- - `categories`: `"one_hot"` (as many columns as levels, named `color=red`), `"code"` (one
--   column of 1..K), or `"drop"`. `max_levels` (100): more make a string column.
-- - `missing`: words for a missing value beside the empty field; by default NA, N/A, NaN, nan,
--   null, NULL and ?.
-- - `on_missing`: `"nan"` keeps them in x as NaN, `"drop"` leaves out rows that have any,
--   `"mean"` puts the mean of the column (for one-hot columns the frequency), `"error"`.
-- - `sep`: the separator; by default the most frequent of `, ; tab |` in the first line; a
--   blank stands for any run of blanks. `decimal` ("."), `quote` ('"', false: none),
--   `comment` (none): lines that start with it are skipped. `skip`: so many lines at the top.
-- - `header`: true, false or "auto": a header, unless a field of the first line is a number.
--   Without one, columns are called x1, x2, ...
-- - `dtype`: of x, and of a target of numbers.
-- @function csv
-- @tparam string path
-- @tparam[opt] table options
-- @shape x (n, p), y (n)
-- @return a data set; or nil and a sentence with file and line, where the file cannot be read,
-- a row has more or fewer fields than the first, or a column is not of the type asked for
-- @raise an unknown key; a column that does not exist
-- @source RFC 4180
-- @usage
-- local d, why = lariat.data.csv("no-such-file.csv", { target = "price", on_missing = "mean" })
-- print(d or why)
return function(path, options)
  if type(path) ~= "string" then
    error(("data.csv: the path is a string, not a %s"):format(type(path)), 2)
  end
  local d, why = reader.read("data.csv", path, nil, options)
  return d, why
end
