-- error: stack overflow
-- limits: memory = "256MB", cpu = 10
local function deep() return 1 + deep() end
return deep()
