from django.urls.resolvers import URLPattern, URLResolver

from whalefall.instances.connections import ConnectionViewSet
from whalefall.instances.viewsets import CredentialViewSet, InstanceViewSet
from whalefall.routers import Router

router = Router()
router.register("instances", ConnectionViewSet, basename="connection")
router.register("instances", InstanceViewSet, basename="instance")
router.register("credentials", CredentialViewSet, basename="credential")

urlpatterns: list[URLPattern | URLResolver] = router.urls
