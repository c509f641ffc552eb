-- error: malformed pattern
return ("a"):find("[a")
