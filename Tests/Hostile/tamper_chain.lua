-- error: read-only
chain.sleep = nil
