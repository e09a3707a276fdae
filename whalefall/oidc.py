"""Sign-in with an OpenID Connect provider: code flow with PKCE, state and nonce.

Authlib does the protocol. We insist on more than it asks for by itself: the issuer of the discovery
document, our own client id among the audiences, and a signature that only the provider can make.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.util import find_spec
from typing import Any

import structlog
from django.conf import settings
from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from whalefall import audit, sign_in
from whalefall.api import ApiError
from whalefall.auth import has_right

logger = structlog.get_logger(__name__)

NEXT = "sign_in_next"
BACKEND = "django.contrib.auth.backends.ModelBackend"
LEEWAY = 60
"""Seconds that two clocks may differ."""
SIGNATURES = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
"""Made with a private key. `none` is no signature, and HS256 shares its key with whoever checks."""


def is_configured() -> bool:
    return bool(settings.OIDC_ISSUER and settings.OIDC_CLIENT_ID)


def is_installed() -> bool:
    """Authlib is an optional extra (`requirements-oidc.txt`)."""
    return find_spec("authlib") is not None and find_spec("requests") is not None


def client() -> Any:
    """The provider as Authlib sees it, its discovery document read once per process.

    Raises ApiError (503) where it cannot be read or is another issuer's.
    """
    import requests

    found = _client(settings.OIDC_ISSUER, settings.OIDC_CLIENT_ID, settings.OIDC_CLIENT_SECRET)
    try:
        metadata = found.load_server_metadata()
    except (requests.RequestException, ValueError) as exc:
        raise _away(exc) from exc
    if metadata.get("issuer", "").rstrip("/") != settings.OIDC_ISSUER.rstrip("/"):
        _client.cache_clear()
        logger.error("oidc_issuer_differs", found=metadata.get("issuer"))
        raise sign_in.unavailable()
    offered = metadata.get("id_token_signing_alg_values_supported") or ["RS256"]
    algorithms = [each for each in offered if each in SIGNATURES]
    metadata["id_token_signing_alg_values_supported"] = algorithms
    return found


@lru_cache(maxsize=4)
def _client(issuer: str, client_id: str, secret: str) -> Any:
    from authlib.integrations.django_client import OAuth

    return OAuth().register(
        "oidc",
        client_id=client_id,
        client_secret=secret,
        server_metadata_url=f"{issuer.rstrip('/')}/.well-known/openid-configuration",
        client_kwargs={
            "scope": settings.OIDC_SCOPES,
            "code_challenge_method": "S256",
            "default_timeout": settings.CONNECT_TIMEOUT,
        },
    )


def _away(exc: Exception) -> ApiError:
    logger.error("oidc_provider_away", error=type(exc).__name__)
    return sign_in.unavailable()


@never_cache
@require_GET
def start(request: HttpRequest) -> HttpResponse:
    """Sends the browser to the provider."""
    if not is_configured():
        return _refusal(request, sign_in.refused(_("Single sign-on is not set up here.")))
    try:
        answer: HttpResponse = client().authorize_redirect(request, _callback_address(request))
    except ApiError as error:
        return _refusal(request, error)
    request.session[NEXT] = request.GET.get("next", "")
    return answer


@never_cache
@require_GET
def callback(request: HttpRequest) -> HttpResponse:
    """Where the provider sends the browser back to, with a code for us to redeem."""
    audit.concerns(request, "sign_in")
    if not is_configured():
        return _refusal(request, sign_in.refused(_("Single sign-on is not set up here.")))
    try:
        claims = _claims(request)
        user = sign_in.admit(
            "oidc",
            f"{claims['iss']}|{claims['sub']}",
            str(claims.get(settings.OIDC_USERNAME_CLAIM) or ""),
            groups_of(claims),
            settings.OIDC_ROLES,
            first_name=_text(claims, "given_name"),
            last_name=_text(claims, "family_name"),
            email=_text(claims, "email"),
        )
        if not has_right(user, "view"):
            message = _("You have no role here yet. Ask an administrator for one.")
            raise sign_in.refused(message)
    except ApiError as error:
        return _refusal(request, error)
    target = request.session.pop(NEXT, "")
    login(request, user, backend=BACKEND)
    return HttpResponseRedirect(_inside(request, target))


def _claims(request: HttpRequest) -> dict[str, Any]:
    """What the provider says about the person, checked. Raises ApiError (403, 503)."""
    import requests
    from authlib.common.errors import AuthlibBaseError
    from joserfc.errors import JoseError

    provider = client()
    try:
        token = provider.authorize_access_token(
            request,
            leeway=LEEWAY,
            claims_options={
                "iss": {"essential": True, "value": provider.server_metadata["issuer"]},
                "aud": {"essential": True, "value": settings.OIDC_CLIENT_ID},
                "nonce": {"essential": True},
            },
        )
        if not token.get("userinfo"):
            raise sign_in.refused(_("The provider sent no identity."))
        # Small ID tokens leave the groups to the other endpoint.
        claims = dict(token["userinfo"])
        if settings.OIDC_GROUPS_CLAIM not in claims and "userinfo_endpoint" in _metadata(provider):
            claims = _with_userinfo(claims, provider.userinfo(token=token))
        return claims
    except requests.RequestException as exc:
        raise _away(exc) from exc
    except (AuthlibBaseError, JoseError, ValueError, KeyError) as exc:
        # The text of these names a claim or a code of the protocol, never a token.
        logger.warning("oidc_sign_in_refused", error=type(exc).__name__, reason=str(exc)[:200])
        raise sign_in.refused(_("The answer of the provider is not valid. Try again.")) from exc


def _metadata(provider: Any) -> dict[str, Any]:
    metadata: dict[str, Any] = provider.server_metadata
    return metadata


def _with_userinfo(claims: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    """Both together; what was signed counts. Raises ApiError where they speak of two people."""
    if more.get("sub") != claims["sub"]:
        raise sign_in.refused(_("The answer of the provider is not valid. Try again."))
    return {**more, **claims}


def groups_of(claims: dict[str, Any]) -> list[str]:
    """The groups claim: a list, or one name. `a.b` goes down (`realm_access.roles`)."""
    found: Any = claims
    for key in (
        [settings.OIDC_GROUPS_CLAIM]
        if settings.OIDC_GROUPS_CLAIM in claims
        else settings.OIDC_GROUPS_CLAIM.split(".")
    ):
        found = found.get(key) if isinstance(found, dict) else None
    if isinstance(found, str):
        return [found]
    return [str(each) for each in found] if isinstance(found, list) else []


def _text(claims: dict[str, Any], name: str) -> str:
    value = claims.get(name)
    return value if isinstance(value, str) else ""


def _callback_address(request: HttpRequest) -> str:
    return request.build_absolute_uri(reverse("sign-in-callback"))


def _inside(request: HttpRequest, target: str) -> str:
    """`target`, unless it leads elsewhere."""
    hosts = {request.get_host()}
    if target and url_has_allowed_host_and_scheme(target, hosts, require_https=request.is_secure()):
        return target
    return reverse("admin:index")


def _refusal(request: HttpRequest, error: ApiError) -> HttpResponse:
    from django.contrib import admin

    context = {
        **admin.site.each_context(request),
        "title": _("Sign-in"),
        "message": str(error.detail),
    }
    return TemplateResponse(request, "console/refused.html", context, status=error.status_code)
