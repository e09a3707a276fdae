"""An OpenID Connect provider on the loopback: discovery, JWKS, authorization, token, userinfo.

It checks what a real one checks (client, redirect, code once, PKCE) and signs with a real key. What
a test puts into `claims` goes over what the ID token says; `wrong` makes it lie in other ways.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey


class Provider:
    """`with Provider(client_id, secret) as provider:`; `issuer` is what OIDC_ISSUER takes."""

    def __init__(self, client_id: str, secret: str) -> None:
        self.client_id, self.secret = client_id, secret
        self.key = self.new_key()
        self.claims: dict[str, Any] = {}
        self.userinfo: dict[str, Any] = {}
        self.wrong: set[str] = set()
        self.codes: dict[str, dict[str, str]] = {}
        self.requests: list[str] = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler_of(self))
        self.issuer = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self) -> Provider:
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.server.shutdown()
        self.server.server_close()

    def new_key(self) -> RSAKey:
        """With a `kid` that nobody has seen."""
        return RSAKey.generate_key(2048, {"kid": secrets.token_hex(4), "use": "sig"})

    def metadata(self) -> dict[str, Any]:
        return {
            "issuer": "https://else.example" if "discovery_issuer" in self.wrong else self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "jwks_uri": f"{self.issuer}/jwks",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
        }

    def authorize(self, url: str) -> str:
        """What the browser is sent back to when somebody logs in at `url`."""
        asked = {key: values[0] for key, values in parse_qs(urlsplit(url).query).items()}
        assert asked["client_id"] == self.client_id
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        assert "openid" in asked["scope"].split()
        code = secrets.token_urlsafe(12)
        self.codes[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def token(self, form: dict[str, str], authorization: str) -> dict[str, Any] | None:
        """The answer to a code; None where it is refused."""
        word = base64.b64encode(f"{self.client_id}:{self.secret}".encode()).decode()
        asked = self.codes.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if (
            authorization != f"Basic {word}"
            or asked is None
            or asked["redirect_uri"] != form.get("redirect_uri")
            or asked["code_challenge"] != challenge
        ):
            return None
        answer = {"access_token": secrets.token_urlsafe(12), "token_type": "Bearer"}
        return {**answer, "id_token": self.id_token(asked["nonce"])}

    def id_token(self, nonce: str) -> str:
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": self.client_id,
            "sub": "248289761001",
            "iat": now,
            "exp": now + 300,
            "nonce": nonce,
            "preferred_username": "vera",
            **self.claims,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        if "unsigned" in self.wrong:
            return f"{b64({'alg': 'none'})}.{b64(claims)}."
        if "hmac" in self.wrong:  # with the public key as the secret: an old trick
            return hs256({"kid": self.key.kid}, claims, self.key.as_pem(private=False))
        key = self.new_key() if "key" in self.wrong else self.key
        return jwt.encode({"alg": "RS256", "kid": self.key.kid}, claims, key)


def b64(value: dict[str, Any] | bytes) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def hs256(header: dict[str, Any], claims: dict[str, Any], key: bytes) -> str:
    """By hand: no library signs with a public key any more."""
    text = f"{b64({'alg': 'HS256', **header})}.{b64(claims)}"
    return f"{text}.{b64(hmac.digest(key, text.encode(), 'sha256'))}"


def handler_of(provider: Provider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            provider.requests.append(path)
            if path == "/.well-known/openid-configuration":
                self.answer(provider.metadata())
            elif path == "/jwks":
                self.answer({"keys": [provider.key.as_dict(private=False)]})
            elif path == "/userinfo" and self.headers.get("Authorization", "").startswith("Bear"):
                self.answer({"sub": "248289761001", **provider.userinfo})
            elif path == "/authorize":  # a person who is logged in there already
                self.send_response(302)
                self.send_header("Location", provider.authorize(self.path))
                self.end_headers()
            else:
                self.answer({"error": "not found"}, 404)

        def do_POST(self) -> None:
            provider.requests.append(self.path)
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {key: values[0] for key, values in parse_qs(body).items()}
            found = provider.token(form, self.headers.get("Authorization", ""))
            self.answer(found or {"error": "invalid_grant"}, 200 if found else 400)

        def answer(self, value: dict[str, Any], status: int = 200) -> None:
            body = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            """Quiet."""

    return Handler
