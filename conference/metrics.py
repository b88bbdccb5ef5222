"""Figures of meetings."""

from dataclasses import asdict

from prometheus_client import Counter, Gauge

from media.figures import Figures

meetings_open = Gauge(
    "quorum_meetings_open", "Meetings that run now, as of the last sweep", multiprocess_mode="livemostrecent"
)
participants_present = Gauge(
    "quorum_participants_present", "People in meetings now, as of the last sweep", multiprocess_mode="livemostrecent"
)
sockets = Gauge(
    "quorum_meeting_sockets", "Meeting sockets that have joined, on this machine", multiprocess_mode="livesum"
)
lines = Counter("quorum_journal_lines", "Lines written to journals", ["type"])
offers = Counter("quorum_offers", "SDP offers handed to relays, by how it ended", ["outcome"])

host_faults = Counter(
    "quorum_relay_host_faults", "Chores of a relay's host that failed, by what was at fault", ["cause"]
)
relay_now = Gauge("quorum_relay_now", "What a relay carries now", ["node", "what"], multiprocess_mode="livesum")
relay_total = Counter("quorum_relay", "What a relay has done since its start", ["node", "what"])

_shown: dict[str, int] = {}


def show_relay(node: str, figures: Figures) -> None:
    """Take over a relay's figures; its counters only rise within one process."""
    for what, value in asdict(figures.now).items():
        relay_now.labels(node, what).set(value)
    for what, value in asdict(figures.total).items():
        relay_total.labels(node, what).inc(value - _shown.get(what, 0))
        _shown[what] = value
