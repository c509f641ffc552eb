-- error: loading the files takes more than 256 MB of memory
end
local t = {}
while true do t[#t + 1] = {} end
function Attacker:late()
