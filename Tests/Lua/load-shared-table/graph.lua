local chain = require "chain"
local t = chain.types

local cache = {}
local words = chain.const { a = 1 }
local helpers = { trim = function(s) return s end }

local function remember(key, value)
  cache[key] = value
end

local Put = chain.chainlet "Put" { input = { key = t.string } }

function Put:run(req)
  remember(helpers.trim(req.key), words.a)
end

local Get = chain.chainlet "Get" { input = { key = t.string }, output = t.any }

function Get:run(req)
  return cache[helpers.trim(req.key)] or words.a
end

return { put = Put, get = Get }
