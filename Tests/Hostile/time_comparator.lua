-- ends: timeout
-- limits: time = 0.2, cpu = 5
table.sort({ 3, 2, 1 }, function() while true do end end)
