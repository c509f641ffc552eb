-- error: loading does not end: the files ran for 5 s
end
while true do end
function Attacker:late()
