"""Pages of sessions and records, and how the last sync went, on the pages of instances."""

from sync import queue_admin
from sync.admin import databases, guide, instances, panels, records, sessions, start

# queue_admin registers the pages of jobs and of the queue.
__all__ = [
    "databases",
    "guide",
    "instances",
    "panels",
    "queue_admin",
    "records",
    "sessions",
    "start",
]
