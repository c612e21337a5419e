"""Pages of the console in a real browser.

All browser tests share one event loop: `pytestmark = IN_BROWSER` in each file.
"""

import re
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

import pytest
from playwright.async_api import Browser, Page, expect

from tests.support.daemon import Running

IN_BROWSER = pytest.mark.asyncio(loop_scope="session")

expect.set_options(timeout=20_000)

Launch = Callable[..., Awaitable[Browser]]


@dataclass
class Watched:
    """A page, and what it should not have done.

    Attributes:
        faults: console errors, exceptions, and requests to other hosts.
        pardoned: a pattern of faults that a test brings about itself.
    """

    page: Page
    server: Running
    pardoned: str | None = None
    faults: list[str] = field(default_factory=list)

    def watch(self) -> None:
        """Note every fault from now on."""
        self.page.on("console", lambda said: self._note(said.text, said.type == "error"))
        self.page.on("pageerror", lambda error: self._note(str(error)))
        self.page.on("request", lambda asked: self._note(asked.url, not self._own(asked.url)))

    def _own(self, address: str) -> bool:
        return address.startswith((self.server.console, "blob:", "data:"))

    def _note(self, fault: str, is_one: bool = True) -> None:
        if is_one and not (self.pardoned and re.search(self.pardoned, fault)):
            self.faults.append(fault)


Visit = Callable[..., AbstractAsyncContextManager[Watched]]
