-- error: weak tables are not available
setmetatable({}, { __mode = "k" })
