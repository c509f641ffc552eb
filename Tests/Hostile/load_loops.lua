-- error: 
end
while true do end
function Attacker:late()
