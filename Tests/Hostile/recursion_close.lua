-- error: C stack overflow
-- limits: memory = "64MB"
local function deep() local x <close> = setmetatable({}, { __close = deep }) end
deep()
