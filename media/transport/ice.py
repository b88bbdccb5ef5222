"""ICE-lite for many peers behind one port (RFC 8445 §2.5), sans-IO.

Theory of operation. Each connection has an agent: a user fragment, a password, and the paths that were checked. A path
is known by a hashable key: the source address of a datagram, or the stream of a TCP connection. A path belongs to an
agent only after a binding request with that agent's MESSAGE-INTEGRITY came over it; from then on everything else that
comes over it is the agent's. What comes over any other path is a stranger's: counted and dropped.

The browser controls: it checks, and nominates with USE-CANDIDATE. We answer, and send where it nominated last. When a
NAT rebinds, the browser's next check would move the path only after seconds; so a media packet from an unknown address
that authenticates under the keys of a connection whose SSRC it names moves that connection at once (`adopt`).
"""

import secrets
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

from media.transport import stun

Key = Hashable
MOST_PATHS = 8
"""Checked paths kept of one agent; browsers behind several interfaces use two or three."""
MOST_SSRCS = 64
"""Streams remembered of one agent for adoption."""
MOST_CLAIMANTS = 4
"""Agents tried for one SSRC of an unknown address: numbers collide by chance or by malice."""


@dataclass(slots=True, eq=False)
class IceAgent:
    """Credentials of one connection, its checked paths in the order of their last check, and where to send.

    `receive(data, now_us)` is given what comes over a checked path and is not STUN; it says whether the packet
    authenticated. `moved(key)` is told whenever `selected` changes. `checked_us` is the time of the last good check.
    """

    ufrag: str
    password: str
    receive: Callable[[bytes, int], bool]
    moved: Callable[[Key | None], None]
    key: bytes = b""
    paths: dict[Key, None] = field(default_factory=dict)
    selected: Key | None = None
    ssrcs: set[bytes] = field(default_factory=set)
    checked_us: int = 0
    migrations: int = 0


@dataclass(frozen=True, slots=True)
class Reply:
    """Send this back over the path that the datagram came by."""

    data: bytes


@dataclass(slots=True)
class Figures:
    """What strangers did (`stranger` counts every datagram that was dropped) and what the agents' paths did."""

    stranger: int = 0
    checks: int = 0
    refused: int = 0
    adopted: int = 0


class Bucket:
    """A limit of unauthenticated answers per source and overall, so that a forged source is not flooded through us.

    Each source may have `burst` at once and `per_second` after that; all together ten times as much.
    """

    MOST_SOURCES = 4096

    def __init__(self, per_second: float = 5, burst: float = 10) -> None:
        self._per_second, self._burst = per_second, burst
        self._sources: dict[str, tuple[float, int]] = {}
        self._overall = (burst * 10, 0)

    def take(self, source: str, now_us: int) -> bool:
        """Whether one more answer may go to a source."""
        overall = self._refill(self._overall, now_us, 10)
        tokens = self._refill(self._sources.get(source, (self._burst, now_us)), now_us, 1)
        if overall < 1 or tokens < 1:
            return False
        if source not in self._sources and len(self._sources) >= self.MOST_SOURCES:
            # The oldest entry goes: the overall limit bounds what that forgives.
            del self._sources[next(iter(self._sources))]
        self._overall = (overall - 1, now_us)
        self._sources[source] = (tokens - 1, now_us)
        return True

    def _refill(self, entry: tuple[float, int], now_us: int, share: int) -> float:
        tokens, at_us = entry
        return min(self._burst * share, tokens + (now_us - at_us) * self._per_second * share / 1_000_000)


class Demultiplexer:
    """Who a datagram belongs to. `by_key` may be read by the shell's hot path: path key → agent."""

    def __init__(self) -> None:
        self.by_key: dict[Key, IceAgent] = {}
        self.figures = Figures()
        self._agents: dict[str, IceAgent] = {}
        self._by_ssrc: dict[bytes, list[IceAgent]] = {}
        self._answers = Bucket()

    def create_agent(self, receive: Callable[[bytes, int], bool], moved: Callable[[Key | None], None]) -> IceAgent:
        """A new agent with fresh credentials (RFC 8839 §5.4: at least 24 and 128 bits)."""
        ufrag = secrets.token_hex(4)
        while ufrag in self._agents:
            ufrag = secrets.token_hex(4)
        password = secrets.token_hex(16)
        agent = IceAgent(ufrag, password, receive, moved, key=password.encode())
        self._agents[ufrag] = agent
        return agent

    def remove_agent(self, agent: IceAgent) -> tuple[Key, ...]:
        """Forget an agent; its paths are strangers from now on, and are returned. Removing twice is nothing."""
        self._agents.pop(agent.ufrag, None)
        keys = tuple(agent.paths)
        for key in keys:
            self.by_key.pop(key, None)
        agent.paths.clear()
        agent.selected = None
        for ssrc in agent.ssrcs:
            claimants = self._by_ssrc[ssrc]
            claimants.remove(agent)
            if not claimants:
                del self._by_ssrc[ssrc]
        agent.ssrcs.clear()
        return keys

    def receive(self, data: bytes, key: Key, source: tuple[str, int], now_us: int, *, datagram: bool) -> Reply | None:
        """Take what came by a path: hand it to its agent, or answer a check, or drop it.

        `source` is the address and port it came from; `datagram` whether the path may be adopted (UDP).
        """
        first = data[0] if data else 0
        agent = self.by_key.get(key)
        if agent is not None and first > 3:
            agent.receive(data, now_us)
            return None
        if stun.looks_like_stun(data):
            return self._check(data, key, source, now_us)
        if agent is None and datagram and 128 <= first < 192 and len(data) >= 12 and self._adopt(data, key, now_us):
            return None
        self.figures.stranger += 1
        return None

    def learn(self, agent: IceAgent, ssrc: bytes) -> None:
        """Remember a stream (four bytes as on the wire) that authenticated for an agent, for adoption later."""
        if ssrc in agent.ssrcs or len(agent.ssrcs) >= MOST_SSRCS:
            return
        agent.ssrcs.add(ssrc)
        self._by_ssrc.setdefault(ssrc, []).append(agent)

    def unbind(self, key: Key) -> None:
        """A path is no more (its TCP connection ended)."""
        agent = self.by_key.pop(key, None)
        if agent is None:
            return
        del agent.paths[key]
        if agent.selected == key:
            agent.selected = next(reversed(agent.paths), None)
            agent.moved(agent.selected)

    def _check(self, data: bytes, key: Key, source: tuple[str, int], now_us: int) -> Reply | None:
        try:
            message = stun.parse_message(data)
        except stun.MalformedStun:
            self.figures.stranger += 1
            return None
        if message.kind != stun.BINDING_REQUEST:
            self.figures.stranger += 1
            return None
        names = stun.read_username(message)
        if names is None or message.integrity_at is None:
            return self._refuse_stranger(message, stun.BAD_REQUEST, source, now_us)
        agent = self._agents.get(names[0])
        if agent is None or not stun.has_integrity(data, message, agent.key):
            return self._refuse_stranger(message, stun.UNAUTHENTICATED, source, now_us)
        if message.not_understood:
            self.figures.refused += 1
            return Reply(stun.build_error(message, stun.UNKNOWN_ATTRIBUTE, key=agent.key))
        if stun.ICE_CONTROLLED in message.attributes:
            # A lite agent is always controlled (RFC 8445 §6.1.1): the other side has to change its role (§7.3.1.1).
            self.figures.refused += 1
            return Reply(stun.build_error(message, stun.ROLE_CONFLICT, key=agent.key))
        self.figures.checks += 1
        agent.checked_us = now_us
        self._bind(agent, key, nominate=stun.USE_CANDIDATE in message.attributes)
        return Reply(stun.build_success(message, source, agent.key))

    def _refuse_stranger(self, message: stun.Message, code: int, source: tuple[str, int], now_us: int) -> Reply | None:
        self.figures.stranger += 1
        if not self._answers.take(source[0], now_us):
            return None
        return Reply(stun.build_error(message, code))

    def _bind(self, agent: IceAgent, key: Key, *, nominate: bool) -> None:
        owner = self.by_key.get(key)
        if owner is not agent:
            if owner is not None:
                # A new connection of the same browser may reuse the port of one that it dropped without a word.
                self.unbind(key)
            if len(agent.paths) >= MOST_PATHS:
                self.unbind(next(path for path in agent.paths if path != agent.selected))
            self.by_key[key] = agent
        else:
            del agent.paths[key]
        agent.paths[key] = None
        if agent.selected is None or (nominate and agent.selected != key):
            agent.migrations += agent.selected is not None
            agent.selected = key
            agent.moved(key)

    def _adopt(self, data: bytes, key: Key, now_us: int) -> bool:
        ssrc = bytes(data[4:8] if 192 <= data[1] <= 223 else data[8:12])
        for agent in self._by_ssrc.get(ssrc, ())[:MOST_CLAIMANTS]:
            if agent.receive(data, now_us):
                self.figures.adopted += 1
                self._bind(agent, key, nominate=True)
                return True
        return False
