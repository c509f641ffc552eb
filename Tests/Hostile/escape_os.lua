-- returns: null
return os.execute or os.exit or os.getenv or os.remove or os.setlocale or os.tmpname or os.rename
