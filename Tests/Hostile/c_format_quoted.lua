-- error: too long to quote
-- limits: memory = "128MB"
return #("%q"):format(("\0"):rep(16000000))
