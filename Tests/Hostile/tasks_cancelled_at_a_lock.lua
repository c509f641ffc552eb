-- returns: false
-- limits: memory = "64MB", tasks = 20000
local list = {}
for i = 1, 10000 do list[i] = i end
local mutex = chain.mutex()
local held <close> = mutex:lock()
return (pcall(chain.timeout, 0.5, function() chain.each(list, function() mutex:lock() end, { limit = 10000 }) end))
