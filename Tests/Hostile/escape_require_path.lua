-- error: module
return require("../../etc/passwd")
