-- returns: "done"
-- limits: coroutines = 1000, cpu = 10
for _ = 1, 20000 do coroutine.wrap(function() coroutine.yield() end)() end
return "done"
