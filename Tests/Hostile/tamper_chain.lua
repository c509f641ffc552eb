-- error: 
chain.sleep = nil
