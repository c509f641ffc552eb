local tools = {}
function tools.twice(text) return text .. text end
return tools
