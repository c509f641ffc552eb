-- ends: cpu_limit
table.sort({ 1, 2, 3 }, function() return ("a"):rep(300):find((".-"):rep(8) .. "b") end)
