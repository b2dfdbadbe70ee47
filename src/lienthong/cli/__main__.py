"""Allow ``python -m lienthong.cli``."""

from lienthong.cli.main import run

run()
