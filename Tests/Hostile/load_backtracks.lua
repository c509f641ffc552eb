-- error: 
end
local _ = ("a"):rep(300):find((".-"):rep(8) .. "b")
function Attacker:late()
