"""Serve the portal with Granian, on this machine only."""

from __future__ import annotations

import ipaddress
import multiprocessing
import os
import signal
import socket
import threading
import time

from django.core.handlers.wsgi import WSGIHandler
from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server import Server

from lienthong.errors import Actor, LienthongError
from lienthong.portal.application import application

BLOCKING_THREADS = 4
PARENT_WATCH_S = 0.5
STOP_WORKER_AFTER_S = 3


class ListenRefused(LienthongError, code="PRT-001", actor=Actor.OPERATOR):
    """The portal has no sign-in yet, so it is not shown to a network."""

    message = "the portal refuses to listen on {host}: it has no sign-in yet and would show its pages to a network"
    hint = "set portal.host to 127.0.0.1; reach it from elsewhere through an SSH tunnel"


class PortInUse(LienthongError, code="PRT-002", actor=Actor.OPERATOR):
    """Something already listens where the portal should."""

    message = "the portal cannot listen on {host}:{port}: {reason}"
    hint = "stop what listens there (ss -ltnp 'sport = :{port}'), or set portal.port to a free port"


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
        # A name may point anywhere tomorrow: only the one name that is loopback by definition is taken.
        loopback = False
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


def serve(*, host: str, port: int) -> None:
    """Serve until SIGINT or SIGTERM; ``set_services`` comes before.

    Raises:
        ListenRefused: the host is no loopback address.
        PortInUse: the address cannot be taken.
    """
    check_listen(host, port)
    # The worker takes over the services as they are; they hold no connection before the first request.
    multiprocessing.set_start_method("fork", force=True)
    parent = os.getpid()

    def load(target: str) -> WSGIHandler:
        del target
        _stop_without(parent)
        return application(hosts=(f"[{host}]" if ":" in host else host,))

    Server(
        target="lienthong.portal",
        address="127.0.0.1" if host == "localhost" else host,
        port=port,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=BLOCKING_THREADS,
        websockets=False,
        workers_kill_timeout=STOP_WORKER_AFTER_S,
        log_level=LogLevels.warning,
        log_access=False,  # addresses people typed do not belong in a log
    ).serve(target_loader=load, wrap_loader=True)


def _stop_without(parent: int) -> None:
    """End this worker when the process that started it is gone, so that no port stays taken after a kill."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(PARENT_WATCH_S)
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()
