-- ends: bad_output
return { 1, nil, nil, 4 }
