"""The signed cookie of a user, and the CSRF token that goes with it."""

import hashlib
import hmac
import os
import secrets
import time
from pathlib import Path

from itsdangerous import BadData, URLSafeTimedSerializer

from coqui_server.exceptions import ConfigError
from coqui_server.store.tables import UserRow

NAME = "coqui_server"

_SECRET_BYTES = 32


class Cookies:
    """Makes and reads signed cookies.

    A cookie has the user's name and a mark of their password and their sign-outs, so that it ends
    with each of them and with the account.

    Args:
        age: seconds for which a cookie is valid.
    """

    def __init__(self, secret: str, age: float) -> None:
        self.age = age
        self._secret = secret
        self._signer = URLSafeTimedSerializer(
            secret,
            "session",
            signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256},
        )

    def made(self, user: UserRow) -> str:
        """A cookie for this user."""
        value = self._signer.dumps([user.name, mark(user)])
        return value.decode() if isinstance(value, bytes) else value

    def name(self, cookie: str) -> str | None:
        """The user's name in it; None if the cookie is forged or too old."""
        try:
            # Not `max_age`: that refuses what another server made whose clock is ahead.
            (name, _), made = self._signer.loads(cookie, return_timestamp=True)
        except BadData:
            return None
        return str(name) if time.time() - made.timestamp() <= self.age else None

    def fits(self, cookie: str, user: UserRow) -> bool:
        """Whether a cookie with this user's name was made for this account."""
        _, made_for = self._signer.loads(cookie)
        return hmac.compare_digest(str(made_for), mark(user))

    def proof(self, cookie: str) -> str:
        """The CSRF token of this cookie, which only pages shown to its owner contain."""
        return hmac.new(self._secret.encode(), f"csrf {cookie}".encode(), "sha256").hexdigest()


def mark(user: UserRow) -> str:
    """What changes with the user's password and with each sign-out."""
    return hashlib.sha256(f"{user.password} {user.sign_outs}".encode()).hexdigest()[:16]


def secret(folder: Path) -> str:
    """The key that signs cookies: made once, in a file that only the daemon's user can read.

    Raises:
        ConfigError: it can be neither read nor written.
    """
    path = folder / "secret"
    try:
        if not path.exists():
            _write(path)
        kept = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        problem = f"the secret in it cannot be kept: {error}"
        raise ConfigError("store.path", problem) from error
    if len(kept) < _SECRET_BYTES:
        raise ConfigError("store.path", f"{path} is not a valid secret; delete it to get a new one")
    return kept


def _write(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Written under another name first: an incomplete secret must never be used.
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w") as file:
        file.write(secrets.token_hex(_SECRET_BYTES))
    draft.replace(path)
