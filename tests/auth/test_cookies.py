"""`coqui_server.auth.cookies`: what has nothing to do with requests."""

import time
from datetime import UTC, datetime

import pytest

from coqui_server.auth.cookies import Cookies
from coqui_server.store.tables import UserRow


@pytest.mark.parametrize(
    ("ahead", "good"), [(60, True), (-60, True), (-3590, True), (-3610, False)]
)
def test_the_clock_of_the_server_that_made_it(
    ahead: float, good: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """May be ahead of ours, or behind. Only the age counts."""
    anna = UserRow(name="anna", password="x", sign_outs=0, created=datetime.now(UTC))
    cookies, now = Cookies("0" * 64, 3600), time.time()
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr("itsdangerous.timed.time.time", lambda: now + ahead)
        cookie = cookies.made(anna)
    assert (cookies.name(cookie) == "anna") is good
    assert cookies.fits(cookie, anna)
