-- returns: [true,"b"]
-- D6: the slot of xpcall's message handler was overwritten.
local co = coroutine.wrap(function() return xpcall(coroutine.yield, function(e) return e end, "a") end)
co()
return { co("b") }
