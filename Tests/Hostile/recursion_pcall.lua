-- returns: false
-- limits: memory = "64MB"
local function deep() local ok, e = pcall(deep) if not ok then error(e, 0) end return ok end
return (pcall(deep))
