-- ends: memory_limit
-- limits: memory = "512MB"
-- The memory would suffice, but one string may have 16 MB.
local s = "x"
while true do s = s .. s end
