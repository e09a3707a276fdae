from django.urls.resolvers import URLPattern, URLResolver

from notify.viewsets import AlertViewSet, ChannelViewSet, DeliveryViewSet, RuleViewSet
from whalefall.routers import Router

router = Router()
router.register("notifications/channels", ChannelViewSet, basename="notification-channel")
router.register("notifications/rules", RuleViewSet, basename="notification-rule")
router.register("notifications/alerts", AlertViewSet, basename="notification-alert")
router.register("notifications/deliveries", DeliveryViewSet, basename="notification-delivery")

urlpatterns: list[URLPattern | URLResolver] = router.urls
