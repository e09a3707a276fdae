"""Pages of watched servers and their credentials."""

from whalefall.instances.admin import credentials, instances, start

__all__ = ["credentials", "instances", "start"]
