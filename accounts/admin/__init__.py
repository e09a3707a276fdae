"""Pages of accounts and their changes, and the accounts on the page of an instance."""

from accounts.admin import accounts, changes, instances, start

__all__ = ["accounts", "changes", "instances", "start"]
