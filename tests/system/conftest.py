"""Real processes and browsers. What is missing skips by name on a laptop and fails in CI."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Playwright, sync_playwright

from tests.system.browser import CHROMIUM, Browser
from tests.system.operated import Operated


@pytest.fixture(scope="session")
def require_binary() -> Callable[[str], str]:
    """The path of a program; skips or, in CI, fails where there is none."""

    def require(name: str) -> str:
        found = shutil.which(name) or (name if Path(name).exists() else None)
        if found is None:
            word = f"{name} is not installed"
            if os.environ.get("CI"):
                pytest.fail(word)
            pytest.skip(word)
        return found

    return require


@pytest.fixture(scope="module")
def quorum(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operated]:
    """A whole Quorum, up and ready."""
    made = Operated(tmp_path_factory.mktemp("quorum"))
    try:
        made.until_ready()
        yield made
    finally:
        made.close()


@pytest.fixture(scope="module")
def playwright(require_binary: Callable[[str], str]) -> Iterator[Playwright]:
    """Of this module alone: while it is up, its event loop runs, and no other test's may."""
    require_binary(CHROMIUM)
    with sync_playwright() as made:
        yield made


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """One Chromium for the module's people."""
    made = Browser(playwright)
    try:
        yield made
    finally:
        made.close()
