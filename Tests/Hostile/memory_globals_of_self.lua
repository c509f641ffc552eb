-- ends: memory_limit
self.kept = {}
while true do self.kept[#self.kept + 1] = ("x"):rep(1000) .. #self.kept end
