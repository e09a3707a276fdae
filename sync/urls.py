from django.urls.resolvers import URLPattern, URLResolver

from sync.actions import AutoClassifyViewSet, InstanceSyncViewSet, TableRefreshViewSet
from sync.dashboard.viewsets import DashboardViewSet
from sync.health import HealthDetailViewSet
from sync.schedule_viewsets import JobViewSet
from sync.viewsets import SessionViewSet
from whalefall.routers import Router

router = Router()
router.register("instances", InstanceSyncViewSet, basename="instance-sync")
router.register("databases", TableRefreshViewSet, basename="table-refresh")
router.register("accounts/classifications", AutoClassifyViewSet, basename="auto-classify")
router.register("dashboard", DashboardViewSet, basename="dashboard")
router.register("health", HealthDetailViewSet, basename="health-detail")
router.register("scheduler/jobs", JobViewSet, basename="job")
router.register("sync-sessions", SessionViewSet, basename="session")

urlpatterns: list[URLPattern | URLResolver] = router.urls
