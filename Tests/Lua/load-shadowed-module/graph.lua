local json = require "string"

return json
