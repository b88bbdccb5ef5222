"""Listening sockets that the supervisor holds, and what to say when somebody else has the port."""

import errno
import socket


class PortTaken(Exception):
    """Somebody listens there already; the message names the address and what to do."""


def _bound(kind: socket.SocketKind, address: str, port: int, variable: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    opened = socket.socket(family, kind)
    if kind == socket.SOCK_STREAM:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    name = "TCP" if kind == socket.SOCK_STREAM else "UDP"
    try:
        opened.bind((address, port))
        if kind == socket.SOCK_STREAM:
            opened.listen(1024)
    except OSError as reason:
        opened.close()
        if reason.errno == errno.EADDRINUSE:
            raise PortTaken(
                f"{name} port {port} on {address} is taken by another program. "
                f"End that program, or choose another port: {variable}={port + 1}"
            ) from None
        raise PortTaken(f"{name} port {port} on {address} cannot be opened: {reason.strerror} ({variable})") from None
    return opened


def listen(address: str, port: int, variable: str) -> socket.socket:
    """A listening TCP socket. Raise PortTaken, naming the environment variable that chooses the port."""
    return _bound(socket.SOCK_STREAM, address, port, variable)


def require_free(address: str, port: int, variable: str) -> None:
    """Raise PortTaken unless both the UDP and the TCP port are free now."""
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        _bound(kind, address, port, variable).close()
