-- ends: bad_output
return chain.mutex()
