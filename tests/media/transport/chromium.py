"""A real Chromium page as the other end: what it offers, and whether it takes our answer."""

import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Page, async_playwright

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
_FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream=fps=20",
    "--autoplay-policy=no-user-gesture-required",
    "--mute-audio",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--disable-dev-shm-usage",
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
    "--allow-loopback-in-peer-connection",
]

# A page that may use camera and microphone needs a secure origin; localhost is one, and nothing is fetched from it.
_ORIGIN = "http://localhost/"

SEND = """async ({codec, simulcast}) => {
  const stream = await navigator.mediaDevices.getUserMedia({audio: true, video: {width: 1280, height: 720}});
  const pc = window.pc = new RTCPeerConnection();
  for (const track of stream.getTracks()) {
    const init = {direction: 'sendonly', streams: [stream]};
    if (track.kind === 'video' && simulcast)
      init.sendEncodings = [{rid: 'q', scaleResolutionDownBy: 4}, {rid: 'h', scaleResolutionDownBy: 2}, {rid: 'f'}];
    const transceiver = pc.addTransceiver(track, init);
    if (track.kind === 'video' && codec) {
      const all = RTCRtpSender.getCapabilities('video').codecs;
      const first = all.filter(c => c.mimeType === 'video/' + codec);
      transceiver.setCodecPreferences([...first, ...all.filter(c => !first.includes(c))]);
    }
  }
  await pc.setLocalDescription();
  return pc.localDescription.sdp;
}"""

RECEIVE = """async ({seats}) => {
  const pc = window.pc = new RTCPeerConnection();
  window.streams = [];
  pc.ontrack = e => window.streams.push([e.transceiver.mid, e.streams[0].id]);
  for (let i = 0; i < seats; i++)
    for (const kind of ['audio', 'video']) pc.addTransceiver(kind, {direction: 'recvonly'});
  await pc.setLocalDescription();
  return pc.localDescription.sdp;
}"""

ANSWERED = "async sdp => { await pc.setRemoteDescription({type: 'answer', sdp}); return pc.signalingState; }"


@asynccontextmanager
async def page() -> AsyncIterator[Page]:
    """A fresh page of a fresh Chromium."""
    async with async_playwright() as playwright:
        with tempfile.TemporaryDirectory() as profile:
            context = await playwright.chromium.launch_persistent_context(
                profile,
                executable_path=CHROMIUM,
                args=_FLAGS,
                ignore_default_args=["--headless", "--hide-scrollbars"],
                permissions=["camera", "microphone"],
            )
            try:
                one = await context.new_page()
                await one.route("**/*", lambda route: route.fulfill(body="<!doctype html>", content_type="text/html"))
                await one.goto(_ORIGIN)
                yield one
            finally:
                await context.close()


def have_chromium() -> bool:
    return Path(CHROMIUM).exists()
