-- ends: bad_output
local t = {}
for _ = 1, 20000 do t = { t } end
return t
