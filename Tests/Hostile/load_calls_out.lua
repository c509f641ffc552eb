-- error: 
end
chain.sleep(1)
function Attacker:late()
