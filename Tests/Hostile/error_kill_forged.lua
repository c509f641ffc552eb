-- error: the error value is a table
error({ killed = true })
