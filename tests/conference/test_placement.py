"""Which relay carries which meeting: values in, values out."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from conference.placement import RelayNode, choose, others, spread


def node(name: str, connections: int = 0, *, draining: bool = False) -> RelayNode:
    return RelayNode(f"relay-{name}", name, 1, "machine", connections, draining)


A, B = node("a", 4), node("b", 2)


def test_the_one_with_fewer_connections_is_chosen() -> None:
    assert choose([A, B]) is B
    assert choose([B, A]) is B


def test_a_dead_one_is_not_among_the_nodes_so_the_other_is_chosen() -> None:
    assert choose([A]) is A
    assert choose([]) is None


def test_among_equals_it_is_the_one_where_the_meeting_was() -> None:
    even = [replace(A, connections=2), B]
    assert choose(even, "a") == even[0]
    assert choose(even, "b") is B
    assert choose(even, "nowhere") == even[0]


def test_a_drained_one_is_chosen_only_where_there_is_no_other() -> None:
    drained = replace(B, draining=True)
    assert choose([A, drained]) is A
    assert choose([drained]) is drained
    assert others([A, drained], "a") == []
    assert others([A, B], "a") == [B]


def test_meetings_of_a_drained_node_spread_over_the_others() -> None:
    targets = spread([("m1", 4), ("m2", 4), ("m3", 2), ("m4", 2)], [node("a"), node("b")])
    assert {meeting: target.node for meeting, target in targets.items()} == {"m1": "a", "m2": "b", "m3": "a", "m4": "b"}
    assert spread([("m1", 4)], []) == {}


@given(
    meetings=st.dictionaries(st.text(min_size=1), st.integers(0, 50), max_size=20),
    loads=st.lists(st.integers(0, 50), min_size=1, max_size=4),
)
def test_every_meeting_finds_a_place_and_no_node_ends_far_above_another(
    meetings: dict[str, int], loads: list[int]
) -> None:
    nodes = [node(str(index), load) for index, load in enumerate(loads)]
    targets = spread(list(meetings.items()), nodes)
    assert set(targets) == set(meetings)
    ends = {n.node: n.connections + sum(c for m, c in meetings.items() if targets[m].node == n.node) for n in nodes}
    largest = max(meetings.values(), default=0)
    for n in nodes:
        if ends[n.node] > n.connections:
            assert ends[n.node] <= min(ends.values()) + largest
