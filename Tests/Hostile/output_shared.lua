-- ends: output_limit
local t = { 1 }
for _ = 1, 40 do t = { t, t } end
return t
