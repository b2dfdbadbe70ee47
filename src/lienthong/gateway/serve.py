"""Serve the gateway with Granian, on this machine only; TLS ends before it."""

from __future__ import annotations

import ipaddress
import multiprocessing
import os
import signal
import socket
import threading
import time

from granian.constants import Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server import Server
from starlette.types import ASGIApp

from lienthong.gateway.app import create_app
from lienthong.gateway.refusals import ListenRefused, PortInUse
from lienthong.gateway.services import GatewayServices

PARENT_WATCH_S = 0.5
STOP_WORKER_AFTER_S = 5
CONNECTIONS_WAITING_MAX = 512
HEADERS_MS_MAX = 5_000
HEADERS_BYTES_MAX = 65_536


def check_listen(host: str, port: int) -> None:
    """Refuse an address that is not of this machine alone, or that is taken.

    Raises:
        ListenRefused: the host is no loopback address.
        PortInUse: the address cannot be taken.
    """
    address = "127.0.0.1" if host == "localhost" else host
    try:
        loopback = ipaddress.ip_address(address).is_loopback
    except ValueError:
        loopback = False  # a name may point anywhere tomorrow
    if not loopback:
        raise ListenRefused(host=host)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except (OSError, OverflowError) as cause:
            reason = getattr(cause, "strerror", None) or "not a port"
            raise PortInUse(host=host, port=port, reason=reason) from cause


def serve(services: GatewayServices, *, host: str, port: int) -> None:
    """Serve until SIGINT or SIGTERM.

    Raises:
        ListenRefused: the host is no loopback address.
        PortInUse: the address cannot be taken.
    """
    check_listen(host, port)
    # The worker takes over the services as they are; they hold no connection before the first request.
    multiprocessing.set_start_method("fork", force=True)
    parent = os.getpid()

    def load(target: str) -> ASGIApp:
        del target
        _stop_without(parent)
        return create_app(services)

    Server(
        target="lienthong.gateway",
        address="127.0.0.1" if host == "localhost" else host,
        port=port,
        interface=Interfaces.ASGI,
        workers=1,
        websockets=False,
        backlog=CONNECTIONS_WAITING_MAX,
        http1_settings=HTTP1Settings(header_read_timeout=HEADERS_MS_MAX, max_buffer_size=HEADERS_BYTES_MAX),
        workers_kill_timeout=STOP_WORKER_AFTER_S,
        log_level=LogLevels.warning,
        log_access=False,  # paths hold the keys of persons
    ).serve(target_loader=load, wrap_loader=True)


def _stop_without(parent: int) -> None:
    """End this worker when the process that started it is gone, so that no port stays taken after a kill."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(PARENT_WATCH_S)
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()
