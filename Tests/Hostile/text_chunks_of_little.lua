-- ends: memory_limit
-- limits: memory = "8MB"
-- A short text of which much is made.
require("text").chunks(("a. "):rep(5000), { size = 14000, overlap = 13999 })
