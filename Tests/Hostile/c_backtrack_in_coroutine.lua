-- ends: cpu_limit
while true do coroutine.wrap(function() return ("a"):rep(300):find((".-"):rep(8) .. "b") end)() end
