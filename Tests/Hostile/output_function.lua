-- ends: bad_output
return function() end
