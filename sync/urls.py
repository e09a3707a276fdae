from django.urls.resolvers import URLPattern, URLResolver

from sync.viewsets import SessionViewSet
from whalefall.routers import Router

router = Router()
router.register("sync-sessions", SessionViewSet, basename="session")

urlpatterns: list[URLPattern | URLResolver] = router.urls
