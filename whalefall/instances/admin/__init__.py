"""Pages of watched servers and their credentials."""

from whalefall.instances.admin import credentials, instances

__all__ = ["credentials", "instances"]
