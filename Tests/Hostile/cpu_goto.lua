-- ends: cpu_limit
::again:: goto again
