"""The API's router. Apart from `api`, which DRF's own settings import before routers can load."""

from rest_framework import routers


class Router(routers.SimpleRouter):
    """Routes without a trailing slash."""

    def __init__(self) -> None:
        super().__init__(trailing_slash=False)
