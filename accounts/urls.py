from django.urls.resolvers import URLPattern, URLResolver

from accounts.compare_viewsets import CompareViewSet
from accounts.viewsets import AccessViewSet
from whalefall.routers import Router

router = Router()
router.register("accounts/access", AccessViewSet, basename="access")
router.register("accounts/compare", CompareViewSet, basename="compare")

urlpatterns: list[URLPattern | URLResolver] = router.urls
