from django.urls.resolvers import URLPattern, URLResolver

from tags.viewsets import ImportViewSet
from whalefall.routers import Router

router = Router()
router.register("instances", ImportViewSet, basename="instance-import")

urlpatterns: list[URLPattern | URLResolver] = router.urls
