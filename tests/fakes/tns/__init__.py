"""A server that speaks Oracle Net (TNS and TTC, as 19c does) well enough for python-oracledb thin.

`server.FakeNet` listens on the loopback; what it answers is given as a function of the SQL text.
"""
