"""The cookie of those who signed in: who they are, signed; and what proves a page is ours."""

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from itsdangerous import BadData, URLSafeTimedSerializer

from coqui_server.exceptions import ConfigError
from coqui_server.store.tables import UserRow

NAME = "coqui_server"

_SECRET_BYTES = 32


class Cookies:
    """Makes cookies that nobody else can make, and reads them.

    A cookie says whose it is and which password made it, so that it is none any more when the
    account is gone, or another has its name.

    Args:
        age: seconds a cookie is good for.
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
        value = self._signer.dumps([user.name, _mark(user)])
        return value.decode() if isinstance(value, bytes) else value

    def name(self, cookie: str) -> str | None:
        """Scope it is; None if it was forged or has become too old."""
        try:
            name, _ = self._signer.loads(cookie, max_age=int(self.age))
        except BadData:
            return None
        return str(name)

    def fits(self, cookie: str, user: UserRow) -> bool:
        """Whether a cookie of this user's name is of this very account."""
        _, mark = self._signer.loads(cookie)
        return hmac.compare_digest(str(mark), _mark(user))

    def proof(self, cookie: str) -> str:
        """What only a page that was shown to this cookie's owner can know."""
        return hmac.new(self._secret.encode(), f"csrf {cookie}".encode(), "sha256").hexdigest()


def _mark(user: UserRow) -> str:
    return hashlib.sha256(user.password.encode()).hexdigest()[:16]


def secret(folder: Path) -> str:
    """What cookies are signed with: made once, and kept where only this user can read it.

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
        raise ConfigError("store.path", f"{path} is no secret; delete it, and a new one is made")
    return kept


def _write(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # First whole, then there: half a secret would be as bad as none.
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w") as file:
        file.write(secrets.token_hex(_SECRET_BYTES))
    draft.replace(path)
