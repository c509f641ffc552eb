local chain = require "chain"
local t = chain.types

local a = require "./steps/a.lua"
local b = require "../secret"
local c = require "/etc/passwd"
local d = require("steps..a")
local e = require(7)
