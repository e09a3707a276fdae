"""WSGI entry point: `gunicorn whalefall.wsgi`."""

import gc
import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "whalefall.settings")
application = get_wsgi_application()

# What stands now stays until the process ends. Left to the collector, it would be looked through
# again and again, each time for as long as a page takes.
get_resolver().url_patterns  # noqa: B018 - loads what the first request would
gc.collect()
gc.freeze()
