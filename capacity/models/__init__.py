"""Databases of an instance, their sizes over time, the sums of those, and what follows.

A size of None was not measured; `reason` says why. It is never 0 for want of an answer.

Tables with a row for each day are partitioned by month in the store (`partitions`): their primary
key there holds the day as well, and Django knows only its first column.
"""

from capacity.models.outlook import DatabaseGrowth, InstanceOutlook, LimitSource, Window
from capacity.models.sizes import (
    DatabaseSizeStat,
    DatabaseTableSizeStat,
    InstanceDatabase,
    InstanceSizeStat,
    InstanceVolume,
)
from capacity.models.sums import (
    Aggregation,
    DatabaseSizeAggregation,
    InstanceSizeAggregation,
    PeriodType,
)

__all__ = [
    "Aggregation",
    "DatabaseGrowth",
    "DatabaseSizeAggregation",
    "DatabaseSizeStat",
    "DatabaseTableSizeStat",
    "InstanceDatabase",
    "InstanceOutlook",
    "InstanceSizeAggregation",
    "InstanceSizeStat",
    "InstanceVolume",
    "LimitSource",
    "PeriodType",
    "Window",
]
