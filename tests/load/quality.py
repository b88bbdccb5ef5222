"""`manage.py bench quality`: what is left of sound and picture on bad networks, and how old a picture is.

Two real Chromium pages and a whole Quorum, with `tests.system.wire` between them and the relay: what a network does, it
does to each packet twice, towards the relay and from it, for both people alike. Ann films a clock in 1280x720 at 20
frames a second; Bob is measured.

    clean                nothing
    loss5, 10, 30        so many percent are lost each way
    burst5               5 % are lost each way, five in a row
    jitter               80 ms ± 20 ms each way
    narrow               600 kbit/s each way for each connection's four streams together, 300 ms of queue
    cut4                 4 s of nothing: `back_s` is from the healing until sound and picture play

Each network is measured several times in one call, and the figures are the worst of them.
"""

import contextlib
import os
import time
from statistics import median
from typing import Any

from tests.load.callers import PAGE, Caller, call, chromium, installed
from tests.load.peers.shapes import percentile
from tests.system.browser import until
from tests.system.wire import FAR, Conditions, Wire

SETTLE_S = 4.0
CALM_S = 20.0
"""Before the age of pictures is read: joining stutters on a small machine, a player's buffer of sound grows by that and
takes so long to shrink again, and the picture waits for the sound (lip sync).
"""
MEASURE_S = 20.0
CUT_S = 4.0
CUTS = 5
NETWORKS = {
    "clean": Conditions(),
    "loss5": Conditions(loss=0.05),
    "loss10": Conditions(loss=0.10),
    "loss30": Conditions(loss=0.30),
    "burst5": Conditions(loss=0.05, burst=5),
    "jitter": Conditions(delay_ms=80, jitter_ms=20),
    "narrow": Conditions(rate_kbps=600),
}
REPEATS = {"loss10": 10}
USUAL_REPEATS = 3


def run(networks: dict[str, Conditions] = NETWORKS, seconds: float = MEASURE_S, cuts: int = CUTS) -> dict[str, Any]:
    """Each network in turn, in one call; then cuts."""
    figures: dict[str, Any] = {}
    samples: dict[str, Any] = {}
    scripts = ((PAGE / "clock.js").read_text(), (PAGE / "clock.js").read_text().replace("1280, 720", "320, 180"))
    with contextlib.ExitStack() as stack:
        site = stack.enter_context(installed(QUORUM_MEDIA_ADDRESSES=FAR))
        wire = stack.enter_context(Wire([int(site.environ["QUORUM_MEDIA_PORT"])]))
        with chromium() as browser, call(site, browser, scripts) as (ann, bob):
            for name, conditions in networks.items():
                wire.conditions = conditions
                time.sleep(CALM_S if name == "clean" else SETTLE_S)
                if name == "clean":
                    bob.page.evaluate("mid => void readClock(meter.track(mid).clone())", _camera_slot(bob, ann.id))
                figures[name], samples[name] = _repeated(bob, seconds, REPEATS.get(name, USUAL_REPEATS))
                if name == "clean":
                    ages = bob.page.evaluate("clock.ages")
                    figures["glass_to_glass_ms"] = {f"p{n}": percentile(ages, n / 100) for n in (50, 95)}
                    samples["glass_to_glass"] = {
                        "pictures": len(ages),
                        "unreadable": bob.page.evaluate("clock.unreadable"),
                    }
                wire.conditions = Conditions()
                until(lambda: bob.metered()["playing"], "the call goes on")
            back = [_cut(wire, bob) for _ in range(cuts)]
            if back:
                samples["cut4"] = {"back_s": [round(one, 3) for one in back]}
                figures["cut4"] = {"back_s": {"p50": percentile(back, 0.5), "max": max(back)}}
    return {"runs": max(REPEATS.values()), "figures": _rounded(figures), "samples": samples}


def _camera_slot(person: Caller, of: str) -> str:
    """The section in which somebody's camera plays."""
    stats = person.stats()
    assert stats is not None
    return str(next(s["mid"] for s in stats["slots"] if s["participantId"] == of and s["origin"] == "camera"))


def _repeated(person: Caller, seconds: float, repeats: int) -> tuple[dict[str, float], dict[str, Any]]:
    """The figures of one network, the worst of so many measurements, and what they were made of."""
    made = [_measure(person, seconds) for _ in range(repeats)]
    return worst_of(made), {"p50": middle_of(made), "each": made}


def worst_of(made: list[dict[str, float]]) -> dict[str, float]:
    """The least that was heard and the longest that a picture stood, each of all measurements."""
    return {
        "audio_heard_percent": min(one["audio_heard_percent"] for one in made),
        "longest_freeze_s": max(one["longest_freeze_s"] for one in made),
    }


def middle_of(made: list[dict[str, float]]) -> dict[str, float]:
    """The medians of what `worst_of` gives the worst of."""
    return {name: round(median(one[name] for one in made), 3) for name in ("audio_heard_percent", "longest_freeze_s")}


def _measure(person: Caller, seconds: float) -> dict[str, float]:
    """One measurement; the load average says how busy the machine was with everything."""
    person.reset()
    time.sleep(seconds)
    read = person.metered()
    return {
        "audio_heard_percent": round(100 * (1 - read["concealed"] / read["samples"]) if read["samples"] else 0.0, 3),
        "longest_freeze_s": round(read["video"], 3),
        "longest_pause_of_sound_s": round(read["audio"], 3),
        "concealed_samples": read["concealed"],
        "samples": read["samples"],
        "load_average": round(os.getloadavg()[0], 1),
    }


def _cut(wire: Wire, person: Caller) -> float:
    """Seconds from the healing of a cut until sound and picture have both played: their longest gap less the cut."""
    until(lambda: person.metered()["playing"], "both play before")
    person.reset()
    wire.cut(CUT_S)
    until(lambda: not person.metered()["playing"], "the cut is felt")
    until(wire.healed, "the cut is over")
    until(lambda: person.metered()["playing"], "both play after")
    time.sleep(SETTLE_S)
    read = person.metered()
    return float(max(read["audio"], read["video"])) - CUT_S


def _rounded(figures: Any) -> Any:
    if isinstance(figures, dict):
        return {name: _rounded(part) for name, part in figures.items()}
    return round(figures, 3)
