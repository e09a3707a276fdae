from django.urls.resolvers import URLPattern, URLResolver

from classification import viewsets
from classification.ledgers import ClassifiedLedgerViewSet
from whalefall.routers import Router

BASE = "accounts/classifications"

router = Router()
router.register("accounts/ledgers", ClassifiedLedgerViewSet, basename="ledger")
router.register("accounts/statistics", viewsets.StatisticsViewSet, basename="account-statistics")
router.register(f"{BASE}/rules", viewsets.RuleViewSet, basename="rule")
router.register(f"{BASE}/assignments", viewsets.AssignmentViewSet, basename="assignment")
router.register(f"{BASE}/exceptions", viewsets.ExceptionViewSet, basename="exception")
router.register(BASE, viewsets.ClassificationViewSet, basename="classification")
router.register("cache", viewsets.CacheViewSet, basename="cache")

urlpatterns: list[URLPattern | URLResolver] = router.urls
