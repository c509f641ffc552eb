-- error: os
return require("os").execute
