"""The bad network itself: what it loses and when the rest arrives."""

import socket

import pytest

from tests.system.installation import free_port
from tests.system.wire import FAR, NEAR, Conditions, Lane, Wire

EVERY_S = 0.001


def fates(conditions: Conditions, seed: int = 1, count: int = 20_000, size_bytes: int = 1000) -> list[float | None]:
    """When each of many packets arrives, one sent each millisecond."""
    lane = Lane(seed)
    return [lane.arrival_s(conditions, size_bytes, n * EVERY_S) for n in range(count)]


def delays_ms(found: list[float | None]) -> list[float]:
    return [(at - n * EVERY_S) * 1000 for n, at in enumerate(found) if at is not None]


def test_a_seed_decides_everything() -> None:
    bad = Conditions(loss=0.1, burst=3, delay_ms=80, jitter_ms=20)
    assert fates(bad) == fates(bad)
    assert fates(bad) != fates(bad, seed=2)


@pytest.mark.parametrize("burst", [1, 5])
@pytest.mark.parametrize("loss", [0.0, 0.05, 0.3])
def test_the_share_that_is_lost_is_the_one_asked_for(loss: float, burst: int) -> None:
    found = fates(Conditions(loss=loss, burst=burst))
    assert found.count(None) / len(found) == pytest.approx(loss, abs=0.015)


def test_bursts_are_lost_in_a_row() -> None:
    found = "".join("x" if at is None else "." for at in fates(Conditions(loss=0.05, burst=5)))
    runs = [len(run) for run in found.split(".") if run]
    assert runs[:-1]
    assert all(run % 5 == 0 for run in runs[:-1])


def test_delays_vary_as_asked_and_keep_the_order() -> None:
    found = fates(Conditions(delay_ms=80, jitter_ms=20))
    late = delays_ms(found)
    assert min(late) >= 60
    assert max(late) <= 100.001
    assert max(late) - min(late) > 15
    arrived = [at for at in found if at is not None]
    assert arrived == sorted(arrived)


def test_a_narrow_lane_carries_its_rate_and_drops_what_would_wait_too_long() -> None:
    found = fates(Conditions(rate_kbps=600, queue_ms=300))
    arrived = [at for at in found if at is not None]
    assert len(arrived) * 8000 / arrived[-1] == pytest.approx(600_000, rel=0.01)
    assert max(delays_ms(found)) <= 314


@pytest.mark.system
def test_packets_pass_both_ways_are_cut_and_come_from_another_port_after_a_rebinding() -> None:
    port = free_port()
    with socket.socket(type=socket.SOCK_DGRAM) as relay, socket.socket(type=socket.SOCK_DGRAM) as browser:
        relay.bind((NEAR, port))
        for end in (relay, browser):
            end.settimeout(5)
        with Wire([port]) as wire:
            browser.sendto(b"one", (FAR, port))
            said, first = relay.recvfrom(100)
            assert said == b"one"
            relay.sendto(b"two", first)
            assert browser.recv(100) == b"two"
            wire.rebind()
            browser.sendto(b"three", (FAR, port))
            said, second = relay.recvfrom(100)
            assert said == b"three"
            assert second != first
            relay.sendto(b"four", second)
            assert browser.recv(100) == b"four"
            wire.udp_open = False
            browser.sendto(b"lost", (FAR, port))
            with socket.create_connection((FAR, port)) as refused:
                assert refused.recv(1) == b"", "no relay listens by TCP here"
            wire.udp_open = True
            browser.sendto(b"five", (FAR, port))
            assert relay.recv(100) == b"five"
