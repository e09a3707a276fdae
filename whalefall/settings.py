"""Settings, all from the environment (`README.md` lists them). Safe by default: production is what
runs unless `WHALEFALL_DEV=1`, which the Makefile sets for the demo and the tests.
"""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import environ
from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

from whalefall.secrets import development_key, require_key

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

DEV = env.bool("WHALEFALL_DEV", default=False)
DEBUG = env.bool("WHALEFALL_DEBUG", default=False)
VAR_DIR = Path(env.str("WHALEFALL_VAR", default=str(BASE_DIR / "var")))

_key = development_key if DEV else require_key
SECRET_KEY = env.str("SECRET_KEY", default="") or _key(VAR_DIR, "SECRET_KEY")
# MultiFernet: the first key encrypts, all of them decrypt; `rotate_credential_key` re-encrypts.
CREDENTIAL_KEYS = env.list("CREDENTIAL_KEYS", default=[]) or [_key(VAR_DIR, "CREDENTIAL_KEYS")]

ALLOWED_HOSTS = env.list(
    "ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"] if DEV else []
)
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",  # its default one puts its own site in place of ours
    "unfold.contrib.filters",
    "whalefall.apps.WhaleFallAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_q",
    "axes",
    "whalefall.apps.WhaleFallConfig",
    "whalefall.instances",
    "tags",
    "accounts",
    "capacity",
    "classification",
    "sync",
    "notify",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whalefall.headers.HeadersMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "whalefall.logs.RequestIdMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "whalefall.idle.IdleMiddleware",
    "whalefall.preferences.PreferencesMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "whalefall.audit.AuditMiddleware",
    "whalefall.rates.RateMiddleware",
    "whalefall.confirm.ConfirmMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "whalefall.urls"
WSGI_APPLICATION = "whalefall.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
            "libraries": {"words": "whalefall.words"},
        },
    }
]

# The store: a real PostgreSQL by DATABASE_URL, else the embedded one under VAR_DIR
# (whalefall.store).
DATABASE_URL = env.str("DATABASE_URL", default="")
if DATABASE_URL:
    DATABASES = {"default": env.db_url_config(DATABASE_URL)}
    DATABASES["default"]["CONN_MAX_AGE"] = 60
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
else:
    DATABASES = {
        "default": {
            "ENGINE": "whalefall.store",
            "NAME": "whalefall",
            "USER": "postgres",
            "CONN_MAX_AGE": 60,
            "CONN_HEALTH_CHECKS": True,
            "OPTIONS": {
                "embedded_folder": str(VAR_DIR / "store"),
                "embedded_durable": env.bool("WHALEFALL_STORE_DURABLE", default=True),
            },
        }
    }
# A worker is told from the others by its connections (sync.queue.live_workers).
DATABASES["default"].setdefault("OPTIONS", {})["application_name"] = (
    "whalefall qcluster" if "qcluster" in sys.argv[1:2] else "whalefall"
)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.str("REDIS_URL", default="")


def redis_cache(url: str) -> dict[str, Any]:
    """A cache that costs at most two seconds when it is dead or hangs, and never an answer."""
    options = {"IGNORE_EXCEPTIONS": True, "SOCKET_CONNECT_TIMEOUT": 1, "SOCKET_TIMEOUT": 1}
    return {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": url, "OPTIONS": options}


LOCAL_CACHE = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
CACHES = {"default": redis_cache(REDIS_URL) if REDIS_URL else LOCAL_CACHE}

# Whether `migrate` brings the shipped classification rules; `manage.py load_rules` always does.
LOAD_RULES = env.bool("WHALEFALL_LOAD_RULES", default=True)

# Limits of one watched server, in seconds.
CONNECT_TIMEOUT = env.int("WHALEFALL_CONNECT_TIMEOUT", default=5)
STATEMENT_TIMEOUT = env.int("WHALEFALL_STATEMENT_TIMEOUT", default=60)
# Sizes of tables are read of this many of an instance's databases, the largest; 0 reads none. A
# database with more tables than the second is left out, with the reason.
TABLE_SIZES_OF_LARGEST = env.int("WHALEFALL_TABLE_SIZES_OF_LARGEST", default=3)
TABLE_SIZES_MOST = env.int("WHALEFALL_TABLE_SIZES_MOST", default=20_000)
# A running record's lease; its worker renews it while it works.
RECORD_LEASE = env.int("WHALEFALL_RECORD_LEASE", default=120)
# A record that waits this long while the queue is empty is queued again: its task was lost.
REQUEUE_AFTER = env.int("WHALEFALL_REQUEUE_AFTER", default=300)
# How long things are kept, in days; 0 keeps them for ever.
KEEP_SESSIONS = env.int("WHALEFALL_KEEP_SESSIONS", default=90)
KEEP_LOGS = env.int("WHALEFALL_KEEP_LOGS", default=30)
KEEP_AUDIT = env.int("WHALEFALL_KEEP_AUDIT", default=365)
KEEP_COUNTS = env.int("WHALEFALL_KEEP_COUNTS", default=1100)
KEEP_CHANGES = env.int("WHALEFALL_KEEP_CHANGES", default=0)
# Sizes by day, at least 200 days of them; sums of weeks, months and quarters are always kept.
KEEP_SIZES = env.int("WHALEFALL_KEEP_SIZES", default=0)
# What the sum of one day of a database says, its size of that day says as well.
KEEP_DAY_SUMS = env.int("WHALEFALL_KEEP_DAY_SUMS", default=200)

# Messages to people (the app `notify`): private networks that they may be sent to, besides the
# public internet; seconds that a receiver has; where this system stands, for links.
NOTIFY_NETWORKS = env.list("WHALEFALL_NOTIFY_NETWORKS", default=[])
NOTIFY_TIMEOUT = env.int("WHALEFALL_NOTIFY_TIMEOUT", default=10)
PUBLIC_URL = env.str("WHALEFALL_URL", default="")

Q_CLUSTER = {
    "name": "whalefall",
    "workers": env.int("WHALEFALL_WORKERS", default=4),
    "timeout": env.int("WHALEFALL_TASK_TIMEOUT", default=3600),
    "retry": env.int("WHALEFALL_TASK_TIMEOUT", default=3600) + 600,
    "max_attempts": 1,
    "ack_failures": True,
    "catch_up": False,
    "save_limit": 250,
    "save_limit_per": "func",  # else the job of each minute would push out the nightly ones
    "bulk": 1,
    "poll": 0.5,
    "label": _("Task queue"),
    **({"redis": REDIS_URL} if REDIS_URL else {"orm": "default"}),
}

AUTH_USER_MODEL = "whalefall.User"
PASSWORD_HASHERS = [
    f"django.contrib.auth.hashers.{name}PasswordHasher" for name in ("Argon2", "PBKDF2")
]
AUTH_PASSWORD_VALIDATORS: list[dict[str, Any]] = [
    {"NAME": f"django.contrib.auth.password_validation.{name}Validator"}
    for name in ("UserAttributeSimilarity", "MinimumLength", "CommonPassword", "NumericPassword")
]
AUTH_PASSWORD_VALIDATORS[1]["OPTIONS"] = {"min_length": 12}
AUTH_PASSWORD_VALIDATORS.append({"NAME": "whalefall.passwords.MaximumLengthValidator"})
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
# Sign-in by others than ourselves (docs/sign-in.md). Roles are JSON, such as
# {"administrator": ["dba-leads"], "viewer": ["*"]}; without them roles are given by hand.
OIDC_ISSUER = env.str("OIDC_ISSUER", default="")
OIDC_CLIENT_ID = env.str("OIDC_CLIENT_ID", default="")
OIDC_CLIENT_SECRET = env.str("OIDC_CLIENT_SECRET", default="")
OIDC_NAME = env.str("OIDC_NAME", default="")
OIDC_SCOPES = env.str("OIDC_SCOPES", default="openid profile email")
OIDC_USERNAME_CLAIM = env.str("OIDC_USERNAME_CLAIM", default="preferred_username")
OIDC_GROUPS_CLAIM = env.str("OIDC_GROUPS_CLAIM", default="groups")
OIDC_ROLES = env.json("OIDC_ROLES", default={})
LDAP_URL = env.str("LDAP_URL", default="")
LDAP_START_TLS = env.bool("LDAP_START_TLS", default=False)
LDAP_CA_FILE = env.str("LDAP_CA_FILE", default="")
LDAP_BIND_DN = env.str("LDAP_BIND_DN", default="")
LDAP_BIND_PASSWORD = env.str("LDAP_BIND_PASSWORD", default="")
LDAP_USER_BASE = env.str("LDAP_USER_BASE", default="")
LDAP_USER_FILTER = env.str("LDAP_USER_FILTER", default="(uid=%(user)s)")
LDAP_USERNAME_ATTRIBUTE = env.str("LDAP_USERNAME_ATTRIBUTE", default="uid")
LDAP_GROUP_BASE = env.str("LDAP_GROUP_BASE", default="") or LDAP_USER_BASE
LDAP_GROUP_FILTER = env.str("LDAP_GROUP_FILTER", default="(objectClass=groupOfNames)")
LDAP_GROUP_TYPE = env.str("LDAP_GROUP_TYPE", default="groupOfNames")
LDAP_ROLES = env.json("LDAP_ROLES", default={})
if LDAP_URL:
    AUTHENTICATION_BACKENDS.append("whalefall.directory.DirectoryBackend")
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = "whalefall.formats"
TIME_ZONE = env.str("TIME_ZONE", default="UTC")
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}
# Static files come straight from the packages where nobody ran collectstatic (demo, tests).
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = DEV

HTTPS = env.bool("WHALEFALL_HTTPS", default=not DEV)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_ENGINE = "whalefall.logins"  # as Django's own, with what a list of one's logins shows
if HTTPS:  # browsers take cookies of this name from this very host only
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-sessionid", "__Host-csrftoken"
# A login ends so long after it began, and after so long without a request (whalefall.idle).
SESSION_COOKIE_AGE = env.int("WHALEFALL_SESSION_HOURS", default=12) * 3600
# Who logged in longer ago gives the password again before people or tokens are touched; 0: never.
CONFIRM_AFTER = env.int("WHALEFALL_CONFIRM_MINUTES", default=30) * 60
SESSION_IDLE = env.int("WHALEFALL_SESSION_IDLE_MINUTES", default=30) * 60
SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
BEHIND_PROXY = env.bool("WHALEFALL_BEHIND_PROXY", default=False)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
# How many proxies in front add to X-Forwarded-For.
PROXIES = env.int("WHALEFALL_PROXIES", default=1) if BEHIND_PROXY else 0
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "whalefall.console.errors.csrf_failed"

# Lockout (whalefall.lockout): so many wrong passwords for one name from one address, then a pause
# that further tries do not lengthen.
# How often (whalefall.rates): logins per address, the others per person. Empty is without limit.
RATES = {
    "login": env.str("WHALEFALL_RATE_LOGIN", default="30/m"),
    "password": env.str("WHALEFALL_RATE_PASSWORD", default="10/15m"),
    "tokens": env.str("WHALEFALL_RATE_TOKENS", default="20/h"),
    "connections": env.str("WHALEFALL_RATE_CONNECTIONS", default="30/m"),
    "api": env.str("WHALEFALL_RATE_API", default="" if DEV else "1200/m"),
}
AXES_FAILURE_LIMIT = env.int("WHALEFALL_LOGIN_TRIES", default=5)
AXES_COOLOFF_TIME = timedelta(minutes=env.int("WHALEFALL_LOCKOUT_MINUTES", default=15))
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_RESET_ON_SUCCESS = True
AXES_DISABLE_ACCESS_LOG = True  # the audit log has it
AXES_ENABLE_ADMIN = False  # the console has a page of its own
AXES_VERBOSE = False
AXES_LOCKOUT_CALLABLE = "whalefall.lockout.refusal"
AXES_CLIENT_IP_CALLABLE = "whalefall.lockout.client_address"

REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": [
        "whalefall.api.EnvelopeRenderer",
        "whalefall.api.BrowsableRenderer",
    ],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "whalefall.bearer.TokenAuthentication",
        "whalefall.auth.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["whalefall.auth.RolePermission"],
    "DEFAULT_THROTTLE_CLASSES": ["whalefall.rates.Throttle"],
    "DEFAULT_PAGINATION_CLASS": "whalefall.paging.Pagination",
    "DEFAULT_FILTER_BACKENDS": [
        "whalefall.filters.FilterBackend",
        "whalefall.paging.SortFilter",
    ],
    "DEFAULT_SCHEMA_CLASS": "whalefall.schema.Schema",
    "EXCEPTION_HANDLER": "whalefall.api.exception_handler",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
# Lists that the planner holds for longer than this are not counted but estimated.
API_ESTIMATE_ABOVE = env.int("WHALEFALL_ESTIMATE_ABOVE", default=10_000)
SPECTACULAR_SETTINGS = {
    "TITLE": "WhaleFall API",
    "VERSION": "1",
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
    "COMPONENT_SPLIT_REQUEST": True,
    # Choices stay where they are used: several fields are called "status", each with its own.
    "POSTPROCESSING_HOOKS": ["whalefall.schema.wrap_in_envelope"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

UNFOLD = {
    "SITE_TITLE": "WhaleFall",
    "SITE_HEADER": "WhaleFall",
    "SITE_SUBHEADER": _("Accounts and capacity"),
    "SITE_SYMBOL": "waves",
    "SITE_URL": None,
    "SHOW_HISTORY": True,
    "SHOW_LANGUAGES": True,
    "ACCOUNT": {
        "navigation": [
            {"title": _("Language and time zone"), "link": reverse_lazy("admin:preferences")},
            {"title": _("Logins"), "link": reverse_lazy("admin:logins")},
        ]
    },
    "SHOW_VIEW_ON_SITE": False,
    "BORDER_RADIUS": "6px",
    "STYLES": [
        lambda request: static("whalefall/console.css"),
        lambda request: static("whalefall/capacity.css"),
    ],
    "SCRIPTS": [
        lambda request: static("whalefall/names.js"),
        lambda request: static("whalefall/manners.js"),
    ],
    "SITE_FAVICONS": [
        {
            "rel": "icon",
            "type": "image/svg+xml",
            "href": lambda request: static("whalefall/icon.svg"),
        }
    ],
    "COLORS": {
        "primary": {
            "50": "#eef7fb",
            "100": "#d6ebf5",
            "200": "#aed7ea",
            "300": "#7bbcdb",
            "400": "#5cb0d9",
            "500": "#3494c4",
            "600": "#166792",
            "700": "#145377",
            "800": "#154662",
            "900": "#163b53",
            "950": "#0d2537",
        }
    },
}

LOGGING_CONFIG = "whalefall.logs.configure"
LOGGING = {
    "level": env.str("WHALEFALL_LOG_LEVEL", default="INFO"),
    "to_store": env.bool("WHALEFALL_LOG_TO_STORE", default=True),
}
