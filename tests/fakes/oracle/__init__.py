"""Oracle's data dictionary, derived from the statements that would have made it, behind a server
that speaks Oracle Net.
"""
