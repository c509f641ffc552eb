-- error: 'package' is not available
return package.loaded
