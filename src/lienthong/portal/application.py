"""Make the WSGI application without reading the environment."""

from __future__ import annotations

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.core.wsgi import get_wsgi_application

from lienthong.portal import settings as fixed


def prepare(*, hosts: tuple[str, ...] = (), closed: bool = False, encrypted: bool = False) -> None:
    """Configure Django once per process.

    Args:
        hosts: further names the portal answers to.
        closed: whether every page asks for sign-in, as on an address that a network reaches.
        encrypted: whether browsers come over TLS, so that cookies travel only there.
    """
    if not settings.configured:
        settings.configure(**{name: getattr(fixed, name) for name in dir(fixed) if name.isupper()})
        django.setup()
    settings.CLOSED, settings.CSRF_COOKIE_SECURE = closed, encrypted
    # A proxy on this machine may have taken the encryption off.
    settings.CSRF_TRUSTED_ORIGINS = [f"https://{host}" for host in hosts] if encrypted else []
    settings.ALLOWED_HOSTS.extend(host for host in hosts if host not in settings.ALLOWED_HOSTS)


def application(*, hosts: tuple[str, ...] = (), closed: bool = False, encrypted: bool = False) -> WSGIHandler:
    """Return the WSGI application; ``prepare`` says what the arguments mean."""
    prepare(hosts=hosts, closed=closed, encrypted=encrypted)
    return get_wsgi_application()
