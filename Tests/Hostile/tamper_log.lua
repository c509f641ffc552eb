-- error: read-only
chain.log.info = nil
