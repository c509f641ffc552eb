-- error: chain.sleep is not available while a file is loaded
end
chain.sleep(1)
function Attacker:late()
