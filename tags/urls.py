from django.urls.resolvers import URLPattern, URLResolver

from tags.import_viewsets import ImportViewSet
from tags.viewsets import BulkViewSet, TagViewSet
from whalefall.routers import Router

router = Router()
router.register("instances", ImportViewSet, basename="instance-import")
router.register("tags/bulk", BulkViewSet, basename="tag-bulk")
router.register("tags", TagViewSet, basename="tag")

urlpatterns: list[URLPattern | URLResolver] = router.urls
