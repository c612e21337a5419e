"""`/docs` and `/redoc` in a real browser, which may ask no other host for anything."""

from playwright.async_api import expect

from tests.support.browser import IN_BROWSER, Visit
from tests.support.daemon import Running

pytestmark = IN_BROWSER


async def test_swagger(server: Running, visit: Visit) -> None:
    """The operations are listed, and one can be tried out."""
    async with visit(server, "/docs") as watched:
        page = watched.page
        await page.get_by_role("button", name="GET /health", exact=False).first.click()
        await page.get_by_role("button", name="Try it out").click()
        await page.get_by_role("button", name="Execute").click()
        answer = page.locator(".live-responses-table .highlight-code").first
        await expect(answer).to_contain_text('"engine": "moonshine"')


async def test_redoc(server: Running, visit: Visit) -> None:
    """The operations are listed, and the search finds them."""
    async with visit(server, "/redoc") as watched:
        page = watched.page
        await expect(page.get_by_role("heading", name="Prometheus")).to_be_visible()
        await page.get_by_placeholder("Search").fill("prometheus")
        await expect(page.locator("[data-role='search:results'] li").first).to_be_visible()
