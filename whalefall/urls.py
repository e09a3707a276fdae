"""Every address of the system: the admin at the root, the API under /api/v1."""

from django.contrib import admin
from django.contrib.auth.decorators import login_required
from django.templatetags.static import static
from django.urls import URLPattern, URLResolver, include, path, re_path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularSwaggerSplitView

from whalefall import oidc, preferences
from whalefall.health import HealthViewSet
from whalefall.log_viewsets import LogViewSet
from whalefall.login import AuthViewSet
from whalefall.login_viewsets import LoginViewSet
from whalefall.routers import Router
from whalefall.tokens import TokenViewSet
from whalefall.users import UserViewSet
from whalefall.viewsets import NoSuchPath

# Its script is a request of its own: our pages have none in their HTML.
swagger = SpectacularSwaggerSplitView.as_view(url_name="openapi")

# Browsers ask for it where a page names no icon: an error, the API's documentation.
ICON = static("whalefall/icon.svg")

router = Router()
router.register("auth/tokens", TokenViewSet, basename="token")
router.register("auth/sessions", LoginViewSet, basename="login")
router.register("auth", AuthViewSet, basename="auth")
router.register("users", UserViewSet, basename="user")
router.register("logs", LogViewSet, basename="log")
router.register("health", HealthViewSet, basename="health")

api: list[URLPattern | URLResolver] = [
    path("", include(router.urls)),
    # Above the apps whose paths begin alike: `sync` and `classification` add to the lower ones.
    path("", include("notify.urls")),
    path("", include("sync.urls")),
    path("", include("classification.urls")),
    path("", include("accounts.urls")),
    path("", include("capacity.urls")),
    path("", include("tags.urls")),
    path("", include("whalefall.instances.urls")),
    path("openapi.json", SpectacularJSONAPIView.as_view(), name="openapi"),
    path("docs", login_required(swagger), name="docs"),
]

urlpatterns = [
    path("api/v1/", include(api)),
    re_path(r"^api(?:/|$)", NoSuchPath.as_view(), name="no-such-path"),
    path("metrics", include("sync.metrics")),
    path("sign-in/oidc", oidc.start, name="sign-in"),
    path("sign-in/oidc/callback", oidc.callback, name="sign-in-callback"),
    path("language", preferences.set_language, name="set_language"),
    path("admin/", admin.site.urls),
    path("favicon.ico", RedirectView.as_view(url=ICON), name="favicon"),
    path("", RedirectView.as_view(pattern_name="admin:index"), name="home"),
]
handler400 = "whalefall.api.bad_request"
handler403 = "whalefall.console.errors.forbidden"
handler404 = "whalefall.console.errors.not_found"
handler500 = "whalefall.api.server_error"
