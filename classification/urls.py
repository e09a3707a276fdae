from django.urls.resolvers import URLPattern, URLResolver

from classification.ledgers import ClassifiedLedgerViewSet
from whalefall.routers import Router

router = Router()
router.register("accounts/ledgers", ClassifiedLedgerViewSet, basename="ledger")

urlpatterns: list[URLPattern | URLResolver] = router.urls
