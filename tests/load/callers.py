"""People of a benchmark: two real Chromium pages in a meeting, with a meter of gaps in what they play."""

import contextlib
import signal
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from playwright.sync_api import Playwright, sync_playwright

from tests.system.browser import SMALL, Browser, Person
from tests.system.operated import Operated

PAGE = Path(__file__).parent / "page"


class Caller(Person):
    """Somebody in a call, metered."""

    def __init__(self, browser: Browser, name: str, script: str = SMALL) -> None:
        super().__init__(browser, name, script)
        self.page.add_init_script(path=PAGE / "meter.js")

    def reset(self) -> None:
        """Forget the gaps so far."""
        self.page.evaluate("meter.reset()")

    def metered(self) -> dict[str, Any]:
        """The longest gaps since (`audio`, `video`, in seconds), whether both play (`playing`), and `clicks`."""
        found: dict[str, Any] = self.page.evaluate("meter.read()")
        return found


@contextlib.contextmanager
def installed(**variables: str) -> Iterator[Operated]:
    """A whole Quorum for a benchmark, ended with all its processes."""
    with tempfile.TemporaryDirectory(prefix="quorum-bench-") as folder:
        made = Operated(Path(folder), **variables)
        try:
            made.until_ready()
            yield made
        finally:
            made.process.send_signal(signal.SIGINT)
            try:
                made.process.wait(30)
            finally:
                made.close()


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """One Chromium for everybody."""
    playwright: Playwright
    with sync_playwright() as playwright:
        made = Browser(playwright)
        try:
            yield made
        finally:
            made.close()


@contextlib.contextmanager
def call(site: Operated, browser: Browser, scripts: Sequence[str] = (SMALL, SMALL)) -> Iterator[tuple[Caller, Caller]]:
    """Two people who see and hear each other, until the meeting is ended."""
    ann, bob = (Caller(browser, name, script) for name, script in zip(("Ann", "Bob"), scripts, strict=True))
    try:
        for person in (ann, bob):
            person.enter(site.url, "hello")
        for one, other in ((ann, bob), (bob, ann)):
            one.sees(other.id)
            one.hears(other.id)
        yield ann, bob
    finally:
        site.end_meetings()
        ann.page.close()
        bob.page.close()
