"""Stand-ins for servers that cannot be had here: they speak the wire protocol, so that the real
driver, the engine's own SQL text and its mapping are all exercised. What a real catalog contains is
not: `replica.py` is filled by builders that derive rows as the product's documentation says.
"""
