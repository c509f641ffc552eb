-- returns: false
local co = coroutine.create(function() chain.sleep(0.05) return "x" end)
local results = chain.all { a = function() return coroutine.resume(co) and 1 end, b = function() return coroutine.resume(co) end }
return results.b
