-- ends: memory_limit
-- limits: memory = "1MB"
require("text").normalize(("\u{FDFA}"):rep(40000), "nfkd")
