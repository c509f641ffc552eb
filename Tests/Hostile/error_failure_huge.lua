-- error: xxxxxxxx
error(chain.failure { code = "mine", message = ("x"):rep(4000000) })
