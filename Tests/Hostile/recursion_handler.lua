-- returns: false
local function handler(e) error(e) end
return (xpcall(error, handler, "x"))
