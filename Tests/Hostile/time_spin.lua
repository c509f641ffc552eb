-- ends: timeout
-- limits: time = 0.2, cpu = 5
while true do end
