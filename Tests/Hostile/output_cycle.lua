-- ends: bad_output
local t = {}
t.t = t
return t
