-- ends: timeout
-- limits: time = 0.2, cpu = 5
while true do local t = {} for i = 1, 20000 do t[i] = -i end table.sort(t) end
