-- error: loading does not end: the files ran for 5 s
end
local _ = ("a"):rep(300):find((".-"):rep(8) .. "b")
function Attacker:late()
