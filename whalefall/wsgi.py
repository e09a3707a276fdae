"""WSGI entry point: `gunicorn whalefall.wsgi`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "whalefall.settings")
application = get_wsgi_application()
