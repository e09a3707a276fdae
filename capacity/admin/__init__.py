"""Pages of the console about capacity."""

from capacity.admin import growth, instances, overview, sizes

__all__ = ["growth", "instances", "overview", "sizes"]
