-- error: 
end
local t = {}
while true do t[#t + 1] = {} end
function Attacker:late()
