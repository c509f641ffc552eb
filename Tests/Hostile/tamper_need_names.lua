-- returns: "alive"
rawset(self, "run", nil)
return "alive"
