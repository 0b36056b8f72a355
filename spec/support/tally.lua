-- busted output handler: the usual plain report, then one line that a machine can read.
return function(options)
  local busted = require "busted"
  local handler = require "busted.outputHandlers.plainTerminal" (options)
  busted.subscribe({ "suite", "end" }, function()
    local line = ("%d passed, %d failed"):format(
      handler.successesCount, handler.failuresCount + handler.errorsCount)
    if handler.pendingsCount > 0 then
      line = line .. (", %d skipped"):format(handler.pendingsCount)
    end
    print(line)
    return nil, true
  end)
  return handler
end
