-- Semantic search: finds the verses that mean what a question means, whatever its words are.
--   scripts/models onnxruntime minilm minilm-tokenizer
--   scripts/chainrun Examples/search/graph.lua question="the Lord takes care of me like a shepherd"
-- It searches a few psalms, or a text of which each line begins with its place:
--   bible -f gen1:1-rev22:21 > /tmp/bible.txt
--   scripts/chainrun Examples/search/graph.lua text=@/tmp/bible.txt question="the Lord takes care of me like a shepherd"
local chain = require "chain"
local tensor = require "tensor"
local psalms = require "psalms"
local t = chain.types

local config = chain.config {
  model     = t.string { default = "cache:minilm/model.onnx", doc = "the model's file" },
  tokenizer = t.string { default = "cache:minilm-tokenizer/tokenizer.json", doc = "its tokenizer's" },
}

local Embed = chain.chainlet "Embed" {
  doc    = "A text as a vector: texts of like meaning point the same way.",
  input  = { text = t.string },
  output = t.tensor("float32", { 384 }),
  uses   = {
    tokenizer = chain.model { engine = "tokenizer", path = config.tokenizer },
    encoder   = chain.model { path = config.model, batch = { max_size = 16, pad = { input_ids = 0, attention_mask = 0, token_type_ids = 0 } } },
  },
}

function Embed:run(req)
  local tokens = self.tokenizer:encode(req.text)
  local meanings = self.encoder(tokens).last_hidden_state       -- of each token, among the others
  return meanings:mean_pool(tokens.attention_mask):normalize()[1]
end

local Index = chain.chainlet "Index" {
  doc    = "The verses of a text with their vectors, which are made once for each text.",
  input  = { text = t.string },
  output = { verses = t.list { place = t.string, text = t.string }, vectors = t.tensor("float32", { "n", 384 }) },
  needs  = { embed = Embed },
  uses   = { known = chain.store { name = config.model, max_bytes = 256000000 } },
  limits = { memory = "256MB" },
}

function Index:run(req)
  return self.known:fetch(req.text, function(text) return self:build(text) end)
end

function Index:build(text)
  local verses = {}
  for place, words in text:gmatch "(%S+) ([^\n]+)" do
    verses[#verses + 1] = { place = place, text = words }
  end
  -- What runs together is filled up to its longest: so verses of like length stand together.
  table.sort(verses, function(a, b) return #a.text < #b.text end)
  local vectors = chain.map(verses, function(verse, i)
    if i % 500 == 0 or i == #verses then chain.log.info(("%d of %d verses"):format(i, #verses)) end
    return self.embed { text = verse.text }
  end)
  return { verses = verses, vectors = tensor.stack(vectors) }
end

local Search = chain.chainlet "Search" {
  doc    = "The verses that come nearest to a question, the best first.",
  input  = {
    question = t.string { min = 1 },
    text     = t.optional(t.string { pattern = "%S+ %S", doc = "a verse a line, after its place; some psalms without it" }),
    best     = t.integer { min = 1, default = 3, doc = "how many verses to quote" },
  },
  output = t.list { place = t.string, score = t.number, text = t.string },
  needs  = { embed = Embed, index = Index },
  limits = { memory = "256MB" },
}

function Search:run(req)
  local index = self.index { text = req.text or psalms }
  local question = self.embed { text = req.question }
  local scores, positions = index.vectors:matmul(question):top_k(math.min(req.best, #index.verses))
  local found = {}
  for i = 1, #positions do
    local verse = assert(index.verses[positions[i]])
    found[i] = { place = verse.place, score = scores[i], text = verse.text }
  end
  return found
end

return Search
