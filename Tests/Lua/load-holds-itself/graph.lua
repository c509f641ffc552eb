local chain = require "chain"
local t = chain.types

local tree = { value = t.string }
tree.left, tree.right = tree, tree

return chain.chainlet "Tree" { input = tree }
