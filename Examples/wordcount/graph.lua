-- The most frequent words of a text of any size: cut into pieces, counted all at once, merged, ranked.
--   bible -f gen1:1-rev22:21 > /tmp/bible.txt
--   scripts/chainrun Examples/wordcount/graph.lua text=@/tmp/bible.txt top=20
local chain = require "chain"
local t = chain.types

local CountWords = chain.chainlet "CountWords" {
  doc    = "How often each word occurs in one piece of text.",
  input  = { text = t.string },
  output = t.map(t.integer),
}

function CountWords:run(req)
  local counts = {}
  for word in req.text:lower():gmatch "%a[%a']*" do
    counts[word] = (counts[word] or 0) + 1
  end
  return counts
end

local RankWords = chain.chainlet "RankWords" {
  doc    = "The most frequent words first; equally frequent ones by the alphabet.",
  input  = { counts = t.map(t.integer), top = t.integer { min = 1 } },
  output = t.list { word = t.string, count = t.integer },
}

function RankWords:run(req)
  local ranked = {}
  for word, count in pairs(req.counts) do
    ranked[#ranked + 1] = { word = word, count = count }
  end
  table.sort(ranked, function(a, b)
    if a.count ~= b.count then return a.count > b.count end
    return a.word < b.word
  end)
  return table.move(ranked, 1, math.min(req.top, #ranked), 1, {})
end

local WordCount = chain.chainlet "WordCount" {
  doc   = "The most frequent words of a text.",
  input = {
    text  = t.string,
    top   = t.integer { min = 1, default = 10, doc = "how many words to name" },
    piece = t.integer { min = 1, default = 65536, doc = "bytes of one piece" },
  },
  output = {
    words    = t.integer { doc = "all words" },
    distinct = t.integer { doc = "different words" },
    top      = t.list { word = t.string, count = t.integer },
  },
  needs  = { count_words = CountWords, rank_words = RankWords },
  limits = { memory = "256MB" },
}

-- Pieces of about `size` bytes that end between two words.
function WordCount:pieces(text, size)
  local pieces, start = {}, 1
  while start <= #text do
    local stop = text:find("%s", math.min(start + size, #text)) or #text
    pieces[#pieces + 1] = text:sub(start, stop)
    start = stop + 1
  end
  return pieces
end

function WordCount:run(req)
  local counted = chain.map(self:pieces(req.text, req.piece), function(piece)
    return self.count_words { text = piece }
  end, { limit = 16 })

  local total, words, distinct = {}, 0, 0
  for _, counts in ipairs(counted) do
    for word, count in pairs(counts) do
      if not total[word] then distinct = distinct + 1 end
      total[word] = (total[word] or 0) + count
      words = words + count
    end
  end
  return { words = words, distinct = distinct, top = self.rank_words { counts = total, top = req.top } }
end

return WordCount
