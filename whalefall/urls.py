"""Every address of the system: the admin at the root, the API under /api/v1."""

from django.contrib import admin
from django.urls import include, path
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularSwaggerView

api = [
    path("", include("whalefall.instances.urls")),
    path("", include("accounts.urls")),
    path("", include("classification.urls")),
    path("", include("sync.urls")),
    path("openapi.json", SpectacularJSONAPIView.as_view(), name="openapi"),
    path("docs", SpectacularSwaggerView.as_view(url_name="openapi"), name="docs"),
]

urlpatterns = [
    path("api/v1/", include(api)),
    path("admin/", admin.site.urls),
]
