-- error: format is too long
-- limits: memory = "64MB"
return string.packsize(("!16bXi16"):rep(2000000))
