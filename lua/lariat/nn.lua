--- Models: layers, containers, layers written in Lua, initialisers.
-- @module lariat.nn

local core = require "lariat.core"

local nn = { init = core.init }
for name, make in pairs(core.layer) do nn[name] = make end

return nn
