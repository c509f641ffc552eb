-- error: read-only
rawset(chain, "sleep", nil)
