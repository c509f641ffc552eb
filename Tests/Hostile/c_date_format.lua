-- error: format is too long
return os.date(("%c"):rep(1000000))
