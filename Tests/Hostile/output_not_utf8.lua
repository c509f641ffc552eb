-- ends: bad_output
return "\xff\xfe"
