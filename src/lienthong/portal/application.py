"""Make the WSGI application without reading the environment."""

from __future__ import annotations

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.core.wsgi import get_wsgi_application

from lienthong.portal import settings as fixed


def prepare(*, hosts: tuple[str, ...] = ()) -> None:
    """Configure Django once per process; ``hosts`` are further names the portal answers to."""
    if not settings.configured:
        settings.configure(**{name: getattr(fixed, name) for name in dir(fixed) if name.isupper()})
        django.setup()
    settings.ALLOWED_HOSTS.extend(host for host in hosts if host not in settings.ALLOWED_HOSTS)


def application(*, hosts: tuple[str, ...] = ()) -> WSGIHandler:
    """Return the WSGI application."""
    prepare(hosts=hosts)
    return get_wsgi_application()
