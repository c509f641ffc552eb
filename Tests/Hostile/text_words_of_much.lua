-- ends: memory_limit
-- limits: memory = "32MB"
require("text").words(("a "):rep(7000000))
