-- text.chunks(value, options): by characters natively; by tokens in the tokenizer, which may wait.
local value, options = ...
local tokenizer = tokenizer_of(options)
if tokenizer then return tokenizer:chunks(value, options) end
return by_characters(value, options)
