"""A SQL Server for the loopback: TDS 7.4 on the wire, a replica of the catalog behind it."""
