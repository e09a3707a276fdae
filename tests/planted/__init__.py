"""Every secret that the tests plant is looked for, at the end of the run, in all that it left.

`registry` hears of each secret where it goes in, `traces` keep what was left behind (rows of the
stores, logs, Redis, arguments of processes), `search` compares, `plugin` ties them to the run.
"""
