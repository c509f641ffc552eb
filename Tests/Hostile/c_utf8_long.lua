-- ends: cpu_limit
local s = ("\u{20ac}"):rep(1000000)
while true do utf8.len(s) utf8.offset(s, -1000000) end
