--- Data: sets that are shipped inside, readers of files, and what is done to data before a
-- model sees it.
--
-- Each function is a file of its own in the folder `data`, loaded when first used; a reader
-- or a data set is added by adding its file.
--
--     local d = lariat.data.digits()
--     local train, test = lariat.data.split(d, { 0.8, 0.2 }, { seed = 1, stratify = true })
--     train, test = lariat.data.standardize(train, test)
--
-- Arguments that make no sense raise; a file that is missing, or whose content is not what it
-- should be, gives `nil` and a sentence, so `assert(lariat.data.csv(...))` reads naturally.
-- @module lariat.data

local core = require "lariat.core"

local data = {}

return setmetatable(data, {
  __index = function(self, name)
    if type(name) ~= "string" or not name:find "^%l[%w_]*$"
      or not core.baked("lariat/data/" .. name .. ".lua") then
      return nil
    end
    local value = require("lariat.data." .. name)
    rawset(self, name, value)
    return value
  end,
})
