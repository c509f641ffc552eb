-- error: 'io' is not available
return io
