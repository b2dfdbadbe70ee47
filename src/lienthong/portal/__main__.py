"""Run the portal: ``python -m lienthong.portal``."""

from __future__ import annotations

import logging
import sys

from lienthong.errors import LienthongError
from lienthong.portal.serve import check_listen, serve
from lienthong.portal.services import set_services
from lienthong.wiring.parent import stop_with_parent
from lienthong.wiring.services import from_environment


def run() -> int:
    """Serve until stopped; return the exit code."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    try:
        services = from_environment()
        listen = services.settings.portal
        sign_in = services.settings.sign_in
        check_listen(listen.host, listen.port, sign_in=sign_in)
        set_services(services)
        stop_with_parent()
        serve(host=listen.host, port=listen.port, sign_in=sign_in)
    except LienthongError as error:
        sys.stderr.write(f"{error.code} {error}\n  what to do: {error.remedy}\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(run())
