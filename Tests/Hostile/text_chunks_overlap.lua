-- ends: memory_limit
-- limits: memory = "32MB"
require("text").chunks(("abcdefgh "):rep(1000000), { size = 2000, overlap = 1999 })
