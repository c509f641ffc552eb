-- ends: cpu_limit
-- Parts that are left out, since they are empty, but looked at each time.
local text = ("\n"):rep(4000000)
require("text").chunks(text, { size = 1000000, overlap = 999999 })
