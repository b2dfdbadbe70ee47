"""Serve the portal with Granian: on this machine, or with sign-in and TLS on a network."""

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
from lienthong.wiring.settings import SignIn

BLOCKING_THREADS = 4
PARENT_WATCH_S = 0.5
STOP_WORKER_AFTER_S = 3


class ListenRefused(LienthongError, code="PRT-001", actor=Actor.OPERATOR):
    """Without sign-in and encryption the portal is not shown to a network."""

    message = "the portal refuses to listen on {host}: {reason}"
    hint = (
        "set portal.host to 127.0.0.1 and reach it through an SSH tunnel,"
        " or give it [centre.portal], portal.certificate and portal.certificate_key"
    )


class PortInUse(LienthongError, code="PRT-002", actor=Actor.OPERATOR):
    """Something already listens where the portal should."""

    message = "the portal cannot listen on {host}:{port}: {reason}"
    hint = "stop what listens there (ss -ltnp 'sport = :{port}'), or set portal.port to a free port"


def is_loopback(host: str) -> bool:
    """Return whether only this machine reaches an address; any name but localhost may point elsewhere tomorrow."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_listen(host: str, port: int, *, sign_in: SignIn | None = None) -> None:
    """Refuse an address that a network reaches, unless officers sign in over TLS, and one that is taken.

    Raises:
        ListenRefused: the host is no loopback address, and sign-in or certificate is missing.
        PortInUse: the address cannot be taken.
    """
    address = "127.0.0.1" if host == "localhost" else host
    if not is_loopback(host):
        _check_network(host, sign_in)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except (OSError, OverflowError) as cause:
            reason = getattr(cause, "strerror", None) or "not a port"
            raise PortInUse(host=host, port=port, reason=reason) from cause


def _check_network(host: str, sign_in: SignIn | None) -> None:
    try:
        ipaddress.ip_address(host)
    except ValueError as cause:
        raise ListenRefused(host=host, reason="it takes addresses, not names, other than localhost") from cause
    if sign_in is None:
        raise ListenRefused(host=host, reason="nobody can sign in, so it would show its pages to a network")
    if sign_in.certificate is None or sign_in.certificate_key is None:
        raise ListenRefused(host=host, reason="it has no certificate, so passwords would cross the network in clear")
    for path in (sign_in.certificate, sign_in.certificate_key):
        if not os.access(path, os.R_OK):
            raise ListenRefused(host=host, reason=f"{path} cannot be read")
    if sign_in.certificate_key.stat().st_mode & 0o077:
        raise ListenRefused(host=host, reason=f"others can read {sign_in.certificate_key}: chmod 600")


def serve(*, host: str, port: int, sign_in: SignIn | None = None) -> None:
    """Serve until SIGINT or SIGTERM; ``set_services`` comes before.

    Where a network reaches it every page asks for sign-in, also those that are public on this machine.

    Raises:
        ListenRefused: the host is no loopback address, and sign-in or certificate is missing.
        PortInUse: the address cannot be taken.
    """
    check_listen(host, port, sign_in=sign_in)
    encrypted = sign_in is not None and sign_in.certificate is not None
    outside = () if sign_in is None else sign_in.names
    names = (f"[{host}]" if ":" in host else host, *outside)
    # Whoever names the portal to browsers elsewhere shows it to a network, be it through a proxy on this machine.
    closed = bool(outside) or not is_loopback(host)
    # The worker takes over the services as they are; they hold no connection before the first request.
    multiprocessing.set_start_method("fork", force=True)
    parent = os.getpid()

    def load(target: str) -> WSGIHandler:
        del target
        _stop_without(parent)
        return application(hosts=names, closed=closed, encrypted=encrypted or bool(outside))

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
        ssl_cert=sign_in.certificate if sign_in is not None and encrypted else None,
        ssl_key=sign_in.certificate_key if sign_in is not None and encrypted else None,
        log_access=False,  # addresses people typed do not belong in a log
    ).serve(target_loader=load, wrap_loader=True)


def _stop_without(parent: int) -> None:
    """End this worker when the process that started it is gone, so that no port stays taken after a kill."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(PARENT_WATCH_S)
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()
