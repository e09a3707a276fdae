from django.urls.resolvers import URLPattern, URLResolver

from capacity import growth_viewsets, viewsets
from whalefall.routers import Router

router = Router()
router.register("capacity/instances", viewsets.InstanceAggregationViewSet, "capacity-instance")
router.register("capacity/databases", viewsets.DatabaseAggregationViewSet, "capacity-database")
router.register("capacity/movers", growth_viewsets.MoverViewSet, "capacity-mover")
router.register("capacity/outlooks", growth_viewsets.OutlookViewSet, "capacity-outlook")
router.register("capacity/volumes", growth_viewsets.VolumeViewSet, "capacity-volume")
router.register("capacity/tags", growth_viewsets.TagSizeViewSet, "capacity-tag")
router.register("capacity", viewsets.CapacityViewSet, "capacity")
router.register("databases/ledgers", viewsets.DatabaseLedgerViewSet, "database-ledger")
router.register("databases/options", viewsets.DatabaseOptionViewSet, "database-option")
router.register("databases/sizes", viewsets.DatabaseSizeViewSet, "database-size")
router.register("databases", viewsets.DatabaseTableViewSet, "database-table")

urlpatterns: list[URLPattern | URLResolver] = router.urls
