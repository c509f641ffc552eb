-- error: read-only
chain.types.string = nil
