-- ends: cpu_limit
local function deep() return pcall(deep) end
while true do deep() end
