-- returns: null
return debug.sethook or debug.getregistry or debug.setmetatable or debug.getupvalue or debug.setupvalue or debug.getinfo or debug.upvalueid
