"""The server's side of the O5LOGON exchange with a 12C verifier (PBKDF2, SHA-512, AES-256)."""

from __future__ import annotations

import hashlib
import hmac
import os

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

VERIFIER_12C = 0x4815
VERIFIER_ROUNDS, SESSION_ROUNDS = 4096, 3
SPEEDY = b"AUTH_PBKDF2_SPEEDY_KEY"


def _cipher(key: bytes) -> Cipher[modes.CBC]:
    return Cipher(algorithms.AES(key), modes.CBC(bytes(16)))


def encrypt(key: bytes, data: bytes) -> bytes:
    worker = _cipher(key).encryptor()
    return worker.update(data) + worker.finalize()


def decrypt(key: bytes, data: bytes) -> bytes:
    worker = _cipher(key).decryptor()
    return worker.update(data) + worker.finalize()


class Exchange:
    """One login: the challenge that is sent, and whether the answer knows the password.

    An unknown user gets a challenge too, which no password meets.
    """

    def __init__(self, password: str | None) -> None:
        self.password = os.urandom(16).hex() if password is None else password
        self.salt, self.session_salt, self.server_key = (os.urandom(n) for n in (16, 16, 32))
        stretched = hashlib.pbkdf2_hmac(
            "sha512", self.password.encode(), self.salt + SPEEDY, VERIFIER_ROUNDS, 64
        )
        self.verifier = hashlib.sha512(stretched + self.salt).digest()[:32]
        self.session_key = b""

    def challenge(self) -> list[tuple[str, str, int]]:
        """Key, value, flags."""
        return [
            ("AUTH_SESSKEY", encrypt(self.verifier, self.server_key).hex().upper(), 0),
            ("AUTH_VFR_DATA", self.salt.hex().upper(), VERIFIER_12C),
            ("AUTH_PBKDF2_CSK_SALT", self.session_salt.hex().upper(), 0),
            ("AUTH_PBKDF2_VGEN_COUNT", str(VERIFIER_ROUNDS), 0),
            ("AUTH_PBKDF2_SDER_COUNT", str(SESSION_ROUNDS), 0),
        ]

    def knows_password(self, answer: dict[str, str]) -> bool:
        client_key = decrypt(self.verifier, bytes.fromhex(answer["AUTH_SESSKEY"])[:32])
        both = (client_key + self.server_key).hex().upper().encode()
        self.session_key = hashlib.pbkdf2_hmac(
            "sha512", both, self.session_salt, SESSION_ROUNDS, 32
        )
        given = decrypt(self.session_key, bytes.fromhex(answer["AUTH_PASSWORD"]))[16:]
        padding = given[-1] if given else 0
        given = given[:-padding] if 0 < padding <= 16 else given
        return hmac.compare_digest(given, self.password.encode())

    def proof(self) -> str:
        """What tells the client that the server knows the password too."""
        return encrypt(self.session_key, os.urandom(16) + b"SERVER_TO_CLIENT").hex().upper()
