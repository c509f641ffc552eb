-- Correct code that uses all that an author may write; a language server has nothing to say about it.
local chain = require "chain"
local json = require "json"
local tensor = require "tensor"
local text = require "text"
local tools = require "lib.tools"
local t = chain.types

local config = chain.config {
  greeting = t.string { default = "Hello", doc = "how to greet" },
  times    = t.integer { min = 1, max = 5, default = 1 },
}
local NAMES = chain.const { "a", "b" }
local Address = t.record { street = t.string { max = 40 }, number = t.optional(t.integer) }
local role = t.enum { "user", "assistant" }

local Echo = chain.chainlet "Echo" {
  doc    = "All kinds of fields.",
  input  = {
    text    = t.string { min = 1, pattern = "^%a+$", doc = "a word" },
    count   = t.integer { min = 0, max = 10, default = 3 },
    weight  = t.number { finite = true, default = 0.5 },
    flag    = t.boolean { default = true },
    extra   = t.optional(t.string),
    anyway  = t.any,
    data    = t.optional(t.bytes { max = 100 }),
    address = Address,
    place   = t.optional { x = t.number, y = t.number },
    role    = role,
    roles   = t.list(role) { max = 3 },
    either  = t.union(t.string, t.integer),
    table_of = t.map(t.list(t.string)),
    messages = t.list { role = role, text = t.string },
  },
  output = { text = t.string, count = t.integer, role = role, place = t.optional { x = t.number, y = t.number }, either = t.union(t.string, t.integer) },
  limits = { memory = "32MB", cpu = 1, time = 10, depth = 4 },
  scaling = { concurrency = 2, queue = 10 },
  secrets = { "API_KEY" },
}

function Echo:init()
  self.seen = {}
  self.key = self.secrets.API_KEY
  self.mutex = chain.mutex()
end

function Echo:label(text)
  self.seen[text] = (self.seen[text] or 0) + 1
  return config.greeting .. " " .. text
end

function Echo:run(req)
  local held <close> = self.mutex:lock()
  local text = self:label(req.text):rep(req.count)
  if req.extra then text = text .. req.extra end
  if req.place and req.place.x > 1 then text = text .. req.place.y end
  local number = req.address.number or 0
  for i, message in ipairs(req.messages) do
    text = text .. i .. message.text .. message.role
  end
  for key, list in pairs(req.table_of) do text = text .. key .. #list end
  chain.log.info("label", text, { number = number })
  if type(req.either) == "string" then text = text .. req.either end
  local first = req.messages[1]
  local name = first and first.text or "none"
  if #req.roles > 0 then name = name .. req.roles[1] end
  return { text = tools.twice(text) .. name, count = req.count + number, role = req.role, either = 7, place = { x = 1.5, y = 2 } }
end

local Quiet = chain.chainlet "Quiet" { input = { text = t.string } }
function Quiet:run(req) chain.log.debug(req.text) end

local Tick = chain.chainlet "Tick" { output = t.stream { n = t.integer } }
function Tick:run(_, emit)
  for n = 1, 3 do emit { n = n } end
end

local Sum = chain.chainlet "Sum" { input = { numbers = t.stream(t.integer), start = t.integer { default = 0 } }, output = t.integer }
function Sum:run(req)
  local sum = req.start
  for n in req.numbers do sum = sum + n end
  return sum
end

local Plain = chain.chainlet "Plain" { output = t.string }
function Plain:run() return "plain" end

local Wide = Plain:extend "Wide" { input = { width = t.integer }, output = { text = t.string } }
function Wide:run(req) return { text = Wide.super.run(self, {}) .. req.width } end

local Either = chain.chainlet "Either" { input = { n = t.integer }, output = t.optional(t.string) }
function Either:run(req)
  if req.n > 2 then return "big" end
end

local Cut = chain.chainlet "Cut" {
  input  = { text = t.string },
  output = { parts = t.list(t.string), count = t.integer, dtype = t.string },
  uses   = { words = chain.model { engine = "tokenizer", path = "tokenizer.json" } },
}
function Cut:run(req)
  local parts = text.chunks(req.text, { size = 9, overlap = 3, tokenizer = self.words })
  for _, sentence in ipairs(text.sentences(req.text)) do parts[#parts + 1] = text.normalize(sentence, "nfkc") end
  local mean = tensor.zeros({ 2, 3 }) * 2 + self.words:encode({ req.text }, { max = 8 }).input_ids
  local back = self.words:decode(mean[1]) .. self.words:decode { 1, 2 }
  return { parts = parts, count = self.words:count(req.text) + #text.words(req.text) + #back, dtype = mean.dtype }
end

local Main = chain.chainlet "Main" {
  input  = { text = t.string, list = t.list(t.string), limit = t.optional(t.integer) },
  output = t.any,
  needs  = {
    echo = Echo:with { timeout = 5, retries = 2 },
    quiet = Quiet,
    plain = Plain,
    wide = Wide,
    either = Either,
    streams = { tick = Tick, sum = Sum },
  },
}

function Main:run(req)
  local a = self.echo {
    text = req.text, role = "user", roles = { "user" }, either = 3, table_of = { x = { "y" } },
    messages = { { role = "assistant", text = "x" } }, address = { street = "s" }, anyway = { 1, "x" },
  }
  self.quiet { text = a.text }
  self.plain()
  self.plain {}
  local wide = self.wide({ width = 3 }, { timeout = 2 })
  local found = self.either { n = a.count } or "small"
  for item in self.streams.tick() do chain.log.info(item.n + 1) end
  local ticks <close> = self.streams.tick {}
  local one = ticks()
  if one then chain.log.info(one.n) end
  ticks:close()
  local sum = self.streams.sum { numbers = chain.stream(function(emit) for i = 1, 3 do emit(i) end end) }
  chain.each(req.list, function(item) self.quiet { text = item } end, { limit = req.limit })
  local lengths = chain.map(req.list, function(item, index) return #item + index end)
  local total = 0
  for _, length in ipairs(lengths) do total = total + length end
  local both = chain.all {
    left = function() return self.plain() end,
    right = function() self.quiet { text = "x" } end,
  }
  local winner, value = chain.race { a = function() return 1 end, b = function() chain.sleep(1) end }
  local task = chain.async(function() self.quiet { text = "x" } end)
  task:await()
  chain.background(function() self.quiet { text = "later" } end)
  local slow = chain.timeout(3, function() return self.plain() end)
  local ok, failure = pcall(function() return self.plain() end)
  if not ok then chain.log.warn(failure.code, failure.message) end
  local ok2, got = pcall(self.either, { n = 3 })
  if ok2 and got then chain.log.info(got:upper()) end
  local answer, problem = chain.try(self.plain, {})
  if problem then error(problem.message) end
  local answer2, problem2 = chain.try(self.plain, {})
  if not answer2 then return problem2.message end
  local settled = chain.settle(req.list, function(item) return self.plain() .. item end)
  for _, one_of in ipairs(settled) do
    if not one_of.ok then chain.log.warn(one_of.error.code) end
  end
  if total > 1000 then error(chain.failure { code = "too_large", message = "x", status = 413, details = { total = total } }) end
  local context = chain.context()
  local left = context.remaining()
  local decoded = json.decode(json.encode({ a = 1 }))
  return {
    wide = wide.text:upper(), found = found:upper(), sum = sum + 1, both = both.left, winner = winner, value = value,
    slow = slow:upper(), id = context.id, left = left, decoded = decoded, first = NAMES[1], role = a.role,
    answer = answer:upper(), times = config.times + 1, x = a.place and a.place.x, ok = ok,
  }
end

return { main = Main, plain = Plain, cut = Cut }
