local greet = require "shared.greeet"

return greet
