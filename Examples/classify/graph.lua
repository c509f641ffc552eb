-- Tells what kind of file some bytes are, by magika's model.
--   scripts/models magika
--   scripts/chainrun Examples/classify/graph.lua content=@Package.swift
local chain = require "chain"
local tensor = require "tensor"
local labels = require "labels"
local t = chain.types

local config = chain.config {
  model = t.string { default = "cache:magika/model.onnx", doc = "the model's file" },
}

local Classify = chain.chainlet "Classify" {
  doc    = "The kind of a file, from its first and last bytes.",
  input  = { content = t.bytes { min = 8 } },
  output = { label = t.string, score = t.number },
  uses   = {
    magika = chain.model {
      path    = config.model,
      inputs  = { bytes = { dtype = "int32", shape = { "n", 2048 } } },
      outputs = { target_label = { dtype = "float32", shape = { "n", #labels } } },
    },
  },
}

local block, size, padding = 4096, 1024, 256

-- The first and the last 1024 bytes without the white space around them, filled up inwards.
local function features(content)
  local head, tail = content:sub(1, block):match "^%s*(.*)", content:sub(-block)
  local last = #tail
  while last > 0 and tail:find("^%s", last) do last = last - 1 end
  tail = tail:sub(1, last):sub(-size)
  local numbers = { head:byte(1, size) }
  for i = #numbers + 1, 2 * size - #tail do numbers[i] = padding end
  for i = 1, #tail do numbers[2 * size - #tail + i] = tail:byte(i) end
  return tensor.new({ numbers }, "int32")
end

function Classify:run(req)
  local scores = self.magika { bytes = features(req.content) }.target_label[1]
  local best = scores:argmax()
  return { label = labels[best], score = scores[best] }
end

return Classify
