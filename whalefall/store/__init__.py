"""The embedded PostgreSQL: the store of a machine on which nobody set DATABASE_URL.

A Django database backend (`ENGINE = "whalefall.store"`) that starts the server when a connection is
asked for and none answers, so that web, workers and commands share one and survive its crash.
"""
