-- error: stack overflow
-- limits: memory = "64MB"
local function deep() return 1 + deep() end
return deep()
