"""Real Chromium for system tests: people who enter a room through the page, and what they see and hear."""

import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from playwright.sync_api import Page, Playwright

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream=fps=20",
    "--autoplay-policy=no-user-gesture-required",
    "--mute-audio",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--disable-dev-shm-usage",
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
]
PATIENCE_S = 40.0
SMALL = """
const native = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = (wanted) =>
  native(wanted.video ? { ...wanted, video: { width: 320, height: 180, frameRate: 20 } } : wanted);
"""
"""A page script: small pictures, where the way is tried and not the encoder."""


def until(condition: Callable[[], Any], what: str, limit_s: float = PATIENCE_S) -> Any:
    """Wait for a condition; what it gave in the end."""
    deadline = time.monotonic() + limit_s
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < deadline, f"waited {limit_s:.0f} s in vain: {what}"
        time.sleep(0.05)


class Browser:
    """One Chromium with a profile of its own."""

    def __init__(self, playwright: Playwright, **context: Any) -> None:
        self._folder = tempfile.mkdtemp(prefix="quorum-chromium-")
        self._context = playwright.chromium.launch_persistent_context(
            self._folder,
            executable_path=CHROMIUM,
            headless=True,
            args=FLAGS + context.pop("flags", []),
            ignore_default_args=["--headless", "--hide-scrollbars"],
            viewport=context.pop("viewport", {"width": 1280, "height": 800}),
            locale=context.pop("locale", "en-US"),
            **context,
        )

    def page(self) -> Page:
        """A new tab, whose script errors fail the test at `Person.calm`."""
        return self._context.new_page()

    def sign_in(self, url: str, username: str, password: str) -> None:
        """As an operator or member, in every tab of this browser."""
        page = self.page()
        page.goto(f"{url}/accounts/login/")
        page.fill("input[name=username]", username)
        page.fill("input[name=password]", password)
        page.press("input[name=password]", "Enter")
        page.wait_for_url(f"{url}/")
        page.close()

    def close(self) -> None:
        """End it with its profile."""
        self._context.close()
        shutil.rmtree(self._folder, ignore_errors=True)


class Person:
    """Somebody in front of a meeting page."""

    def __init__(self, browser: Browser, name: str, script: str = "") -> None:
        self.name = name
        self.page = browser.page()
        if script:
            self.page.add_init_script(script)
        self.errors: list[str] = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))

    def enter(self, url: str, slug: str, query: str = "") -> Self:
        """Through the lobby into the meeting."""
        self.page.goto(f"{url}/r/{slug}/{query}")
        field = self.page.locator("input#name")
        field.wait_for()
        field.fill(self.name)
        self.page.locator("form button[type=submit]").click()
        self.until_in()
        return self

    def until_in(self) -> None:
        """The socket has welcomed us."""
        until(lambda: (s := self.stats()) and s["linked"] and s["seen"] is not None, f"{self.name} is in")

    def stats(self) -> dict[str, Any] | None:
        """The page's diagnosis, or None before there is a call."""
        found: dict[str, Any] | None = self.page.evaluate("window.quorum ? window.quorum.stats() : null")
        return found

    def state(self) -> dict[str, Any]:
        """The meeting as this page knows it."""
        stats = self.stats()
        assert stats is not None
        state: dict[str, Any] = stats["state"]
        return state

    @property
    def id(self) -> str:
        """Our participant id."""
        found: str = self.page.evaluate("window.quorum.engine.store.get().me")
        return found

    def inbound(self, kind: str, of: str | None = None, origin: str | None = None) -> list[dict[str, Any]]:
        """What the browser counts of the streams that it receives, of one participant or of all, of one origin or of
        all.
        """
        stats = self.stats() or {"slots": [], "inbound": []}
        slots = [s for s in stats["slots"] if of is None or s["participantId"] == of]
        mids = {s["mid"] for s in slots if origin is None or s["origin"] == origin}
        return [
            entry
            for entry in stats["inbound"]
            if entry["type"] == "inbound-rtp" and entry["kind"] == kind and entry.get("mid") in mids
        ]

    def outbound(self, kind: str) -> dict[str, Any]:
        """What the browser counts of its own stream."""
        stats = self.stats() or {"outbound": []}
        found = [e for e in stats["outbound"] if e["type"] == "outbound-rtp" and e["kind"] == kind]
        return found[0] if found else {}

    def total(self, kind: str, figure: str, of: str | None = None, origin: str | None = None) -> float:
        """The sum of one figure over what is received."""
        return sum(entry.get(figure) or 0 for entry in self.inbound(kind, of, origin))

    def sees(self, of: str, frames: int = 10, origin: str = "camera") -> None:
        """That many more frames of somebody are decoded."""
        before = self.total("video", "framesDecoded", of, origin)
        what = f"{self.name} sees the {origin} of {of}"
        until(lambda: self.total("video", "framesDecoded", of, origin) >= before + frames, what)

    def hears(self, of: str, origin: str = "microphone") -> None:
        """Some more sound of somebody has energy."""
        before = self.total("audio", "totalAudioEnergy", of, origin)
        what = f"{self.name} hears the {origin} of {of}"
        until(lambda: self.total("audio", "totalAudioEnergy", of, origin) > before + 1e-4, what)

    def person(self, participant_id: str) -> dict[str, Any] | None:
        """Somebody, as this page knows them."""
        return next((p for p in self.state()["people"] if p["id"] == participant_id), None)

    def calm(self) -> None:
        """No script of the page has failed."""
        assert self.errors == []

    def shoot(self, folder: Path, name: str) -> None:
        """A screenshot, as an artefact."""
        folder.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=folder / f"{name}.png")
