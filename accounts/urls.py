from django.urls.resolvers import URLPattern, URLResolver

from accounts.viewsets import AccessViewSet
from whalefall.routers import Router

router = Router()
router.register("accounts/access", AccessViewSet, basename="access")

urlpatterns: list[URLPattern | URLResolver] = router.urls
