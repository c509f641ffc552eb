-- ends: timeout
-- limits: time = 0.3
chain.sleep(30)
