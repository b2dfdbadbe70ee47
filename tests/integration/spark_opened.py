"""Two engines of the Spark API to test on: Sail inside this process, and an Apache Spark cluster of three JVMs."""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

START_S_MAX = 120
EXECUTORS = 2
EXECUTOR_CLASS = "org.apache.spark.executor.CoarseGrainedExecutorBackend"
SERVER_CLASS = "org.apache.spark.sql.connect.service.SparkConnectServer"
NOISE = ("ignore::DeprecationWarning", "ignore::ResourceWarning", "ignore::FutureWarning", "ignore::UserWarning")

Require = Callable[[object, str], None]


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """A running cluster: a driver with the Connect server, and executors in processes of their own."""

    session: Any
    driver: psutil.Process
    folder: Path  # where shuffles are written

    def executors(self) -> list[psutil.Process]:
        """Return the executors that are alive."""
        return [each for each in self.driver.children(recursive=True) if EXECUTOR_CLASS in _command(each)]


def need_pyspark(require: Require, *more: str) -> None:
    """Skip, or fail where everything is promised to be there, when the packages are not installed."""
    missing = [name for name in ("pyspark", *more) if importlib.util.find_spec(name) is None]
    require(not missing, f"{' and '.join(missing)} not installed: uv sync --group spark")


@contextmanager
def sail(require: Require) -> Iterator[Any]:
    """Run Sail, which speaks Spark Connect and needs no Java."""
    need_pyspark(require, "pysail")
    from pysail.spark import SparkConnectServer

    server = SparkConnectServer("127.0.0.1", 0)
    server.start(background=True)
    host, port = server.listening_address
    session = _connect(f"sc://{host}:{port}")
    try:
        yield session
    finally:
        session.stop()
        server.stop()


@contextmanager
def cluster(require: Require, folder: Path) -> Iterator[Cluster]:
    """Run Apache Spark as `local-cluster`: two executors of 1 GB, each a JVM that can be killed."""
    need_pyspark(require)
    require(shutil.which("java") is not None, "java is not installed: Apache Spark needs a runtime of version 17")
    home = Path(importlib.util.find_spec("pyspark").origin).parent  # type: ignore[union-attr, arg-type]  # it is there
    port = _free_port()
    settings = {
        "spark.connect.grpc.binding.address": "127.0.0.1",
        "spark.connect.grpc.binding.port": str(port),
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.memory": "512m",
        "spark.executor.memory": "1g",
        "spark.local.dir": str(folder),
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.log.level": "ERROR",
    }
    command = [str(home / "bin" / "spark-submit"), "--master", f"local-cluster[{EXECUTORS},1,1024]"]
    for name, value in settings.items():
        command += ["--conf", f"{name}={value}"]
    environment = {**os.environ, "SPARK_HOME": str(home), "SPARK_LOCAL_IP": "127.0.0.1"}
    environment |= {"PYSPARK_PYTHON": sys.executable, "SPARK_NO_DAEMONIZE": "1"}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--class", SERVER_CLASS, "spark-internal"],
            cwd=folder,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait_for(process, port, folder / "log")
        session = _connect(f"sc://127.0.0.1:{port}")
        try:
            yield Cluster(session=session, driver=psutil.Process(process.pid), folder=folder)
        finally:
            session.stop()
    finally:
        _end(process)


def _connect(address: str) -> Any:
    from pyspark.sql import SparkSession

    # A main module without a file, as a test worker has it, makes the client believe that it runs its own doctests.
    main = sys.modules["__main__"]
    if not hasattr(main, "__file__"):
        main.__file__ = __file__
    return SparkSession.builder.remote(address).create()


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _wait_for(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.monotonic() + START_S_MAX
    while time.monotonic() < until:
        assert process.poll() is None, f"the cluster ended: {log.read_text(errors='replace')[-2000:]}"
        with socket.socket() as tried:
            if tried.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    raise AssertionError(f"no cluster after {START_S_MAX} s: {log.read_text(errors='replace')[-2000:]}")


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the driver and whatever it started, each by its own number."""
    started = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(20)
    _, alive = psutil.wait_procs(started, timeout=10)
    for each in alive:
        each.kill()


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []
