-- Streams in both directions: one chainlet writes words, one changes them as they come, one counts them.
--   scripts/chainrun Examples/stream/graph.lua --entry shout text='to be or not to be'
--   scripts/chainrun Examples/stream/graph.lua --entry count text='to be or not to be'
local chain = require "chain"
local t = chain.types

local Words = chain.chainlet "Words" {
  doc    = "Writes the words of a text, one after the other; its result is how many there were.",
  input  = { text = t.string },
  output = t.stream(t.string, t.integer),
}

function Words:run(req, emit)
  local count = 0
  for word in req.text:gmatch "%S+" do
    emit(word)
    count = count + 1
  end
  return count
end

local Upper = chain.chainlet "Upper" {
  doc    = "Takes a stream of words and gives them back in capitals.",
  input  = { words = t.stream(t.string) },
  output = t.stream(t.string),
}

function Upper:run(req, emit)
  for word in req.words do
    emit(word:upper())
  end
end

local Shout = chain.chainlet "Shout" {
  input  = { text = t.string },
  output = t.stream(t.string),
  needs  = { words = Words, upper = Upper },
}

function Shout:run(req, emit)
  for word in self.upper { words = self.words { text = req.text } } do
    emit(word .. "!")
  end
end

local Count = chain.chainlet "Count" {
  input  = { text = t.string },
  output = { longest = t.string, words = t.integer },
  needs  = { words = Words },
}

function Count:run(req)
  local longest = ""
  local stream <close> = self.words { text = req.text }
  for word in stream do
    if #word > #longest then longest = word end
  end
  return { longest = longest, words = stream:result() }
end

return { shout = Shout, count = Count }
