-- Finds where somebody speaks in a recording, by silero's model.
--   scripts/models silero speech
--   scripts/chainrun Examples/voice_activity/graph.lua audio=@speech.wav
-- The recording is a WAV of 16 kHz, one channel, 16 bits. Segments come out as soon as each has ended.
local chain = require "chain"
local tensor = require "tensor"
local t = chain.types

local config = chain.config {
  model     = t.string { default = "cache:silero/model.onnx", doc = "the model's file" },
  threshold = t.number { default = 0.5, doc = "from this probability on it is speech" },
}

local Detect = chain.chainlet "Detect" {
  doc    = "Segments of speech, in seconds.",
  input  = { audio = t.bytes },
  output = t.stream(t.record { from = t.number, to = t.number }),
  uses   = {
    silero = chain.model { path = config.model, inputs = { state = { dtype = "float32", shape = { 2, "batch", 128 } } } },
  },
}

local rate, window, context = 16000, 512, 64
local shortest_speech, shortest_pause = 0.25 * rate, 0.1 * rate

-- The samples of a WAV, from -1 to 1, after a context of silence and filled up to whole windows.
local function samples(audio)
  if audio:sub(1, 4) ~= "RIFF" or audio:sub(9, 12) ~= "WAVE" then error("the audio is no WAV file", 0) end
  local position, format = 13, nil
  while position + 8 <= #audio do
    local name, size = string.unpack("<c4I4", audio, position)
    if name == "fmt " then format = { string.unpack("<I2I2I4I4I2I2", audio, position + 8) } end
    if name == "data" then
      if not format or format[1] ~= 1 or format[2] ~= 1 or format[3] ~= rate or format[6] ~= 16 then
        error("the audio must be of 16 kHz, one channel and 16 bits", 0)
      end
      local data = audio:sub(position + 8, math.min(#audio, position + 7 + size))
      local count = #data // 2
      local rest = -count % window
      local padded = ("\0\0"):rep(context) .. data:sub(1, 2 * count) .. ("\0\0"):rep(rest)
      return tensor.from_bytes(padded, "int16", { context + count + rest }):cast("float32") / 32768, count
    end
    position = position + 8 + size + size % 2
  end
  error("the WAV file holds no samples", 0)
end

function Detect:run(req, emit)
  local audio, count = samples(req.audio)
  -- What the model remembers is the call's own: any number of recordings share the model.
  local state = tensor.zeros { 2, 1, 128 }
  local sr = tensor.new(rate, "int64")
  local from, pause

  local function finish(to)
    if to - from >= shortest_speech then emit { from = from / rate, to = to / rate } end
    from, pause = nil, nil
  end

  for start = 0, count - 1, window do
    local input = audio:slice(start + 1, start + context + window):reshape(1, context + window)
    local out = self.silero { input = input, state = state, sr = sr }
    state = out.stateN
    local speech = out.output:item()
    if speech >= config.threshold then
      from, pause = from or start, nil
    elseif from and speech < config.threshold - 0.15 then
      pause = pause or start
      if start + window - pause >= shortest_pause then finish(pause) end
    end
  end
  if from then finish(pause or count) end
end

return Detect
