"""The arithmetic of the benchmarks of calls, and what the flood is made of."""

from tests.load.failover import CASES, Gap, result_of
from tests.load.hostile import datagrams
from tests.load.quality import NETWORKS, middle_of, worst_of


def test_gaps_are_reported_by_case_with_their_worst() -> None:
    cold = [Gap(audio_s=n / 10, video_s=n / 5, clicks=0) for n in range(1, 11)]
    found = result_of({"cold": cold, "drain": [Gap(0.1, 0.2, 1)] * 10})
    assert found["runs"] == 10
    assert found["figures"]["gap_s"]["cold"] == {
        "audio": {"p50": 0.5, "p95": 1.0, "max": 1.0},
        "video": {"p50": 1.0, "p95": 2.0, "max": 2.0},
    }
    assert found["figures"]["clicks"] == 10
    web = result_of({"web": [Gap(0.05, 0.1, 0, n / 10) for n in range(1, 11)]})
    assert web["figures"]["gap_s"]["web"]["signaling"] == {"p50": 0.5, "p95": 1.0, "max": 1.0}
    assert len(found["samples"]["drain"]) == 10


def test_two_workers_and_one_are_apart() -> None:
    assert {name: workers for name, (workers, _) in CASES.items() if workers == 1} == {"one_worker": 1}


def test_the_networks_are_those_of_the_contract() -> None:
    assert set(NETWORKS) == {"clean", "loss5", "loss10", "loss30", "burst5", "jitter", "narrow"}


def test_a_network_is_judged_by_the_worst_of_its_measurements() -> None:
    made = [
        {"audio_heard_percent": heard, "longest_freeze_s": freeze}
        for heard, freeze in ((99, 0.2), (97, 0.3), (98, 0.9))
    ]
    assert worst_of(made) == {"audio_heard_percent": 97, "longest_freeze_s": 0.9}
    assert middle_of(made) == {"audio_heard_percent": 98, "longest_freeze_s": 0.3}


def test_the_flood_is_of_every_kind_and_the_same_each_time() -> None:
    found = datagrams(count=600)
    first_bytes = [one[0] for one in found]
    assert found[1:6] == datagrams(count=600)[1:6]
    assert {22, 64, 0x81, 0x90} <= set(first_bytes)
    assert sum(byte < 4 for byte in first_bytes) >= 100, "checks of strangers"
