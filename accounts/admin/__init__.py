"""Pages of accounts and their changes, and the accounts on the page of an instance."""

from accounts.admin import accounts, changes, hidden, instances

__all__ = ["accounts", "changes", "hidden", "instances"]
