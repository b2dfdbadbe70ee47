"""Sessions to run on: Sail beside this process, an Apache Spark on this machine, or a cluster by its address."""

from __future__ import annotations

import importlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from lienthong.adapters.spark.checking import INSTALL, Session, spark_errors
from lienthong.check.engines import EngineFailed, EngineMissing

INSTALL_JAVA: Final = "a Java runtime of version 17, such as the package openjdk-17-jre-headless"


@contextmanager
def sail_session() -> Iterator[Session]:
    """Start Sail for as long as the session is used; it needs no Java.

    Raises:
        EngineMissing: pysail or pyspark is not installed.
    """
    spark_errors()
    try:
        sail = importlib.import_module("pysail.spark")
    except ImportError as cause:
        raise EngineMissing(engine="sail", missing="pysail is not installed", install=INSTALL) from cause
    server = sail.SparkConnectServer("127.0.0.1", 0)
    server.start(background=True)
    host, port = server.listening_address
    try:
        with spark_session(f"sc://{host}:{port}", engine="sail") as session:
            yield session
    finally:
        server.stop()


@contextmanager
def spark_session(remote: str | None, *, engine: str = "spark") -> Iterator[Session]:
    """Connect to a cluster (``sc://host:port``), or start Apache Spark on this machine when no address is given.

    Raises:
        EngineMissing: pyspark, or Java where it is needed, is not installed.
        EngineFailed: nobody answers.
    """
    refused = spark_errors()
    if remote is None and shutil.which("java") is None:
        raise EngineMissing(engine=engine, missing="Java is not installed", install=INSTALL_JAVA)
    try:
        session = _local() if remote is None else _builder().remote(remote).getOrCreate()
    except refused + (RuntimeError, OSError) as cause:  # noqa: RUF005 - a tuple of types, for the type checker
        raise EngineFailed(engine=engine, reason="the session does not open", fix="check the address") from cause
    try:
        yield session
    finally:
        session.stop()


def _builder() -> Any:
    return importlib.import_module("pyspark.sql").SparkSession.builder


def _local() -> Session:
    builder = _builder().master("local[*]").config("spark.ui.enabled", "false")
    builder = builder.config("spark.driver.bindAddress", "127.0.0.1").config("spark.driver.host", "127.0.0.1")
    return builder.config("spark.ui.showConsoleProgress", "false").config("spark.log.level", "ERROR").getOrCreate()
