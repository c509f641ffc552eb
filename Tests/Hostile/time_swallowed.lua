-- ends: timeout
-- limits: time = 0.3
while true do pcall(chain.sleep, 30) end
