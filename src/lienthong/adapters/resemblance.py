"""How alike two texts are: Jaro-Winkler, computed by DuckDB on columns."""

from __future__ import annotations

import duckdb
import polars as pl

_ALIKE = "SELECT jaro_winkler_similarity(l, r) AS alike FROM pairs"


class JaroWinkler:
    """Compare pairs of matching keys; one connection in memory, for one thread at a time."""

    def __init__(self) -> None:
        self._connection: duckdb.DuckDBPyConnection | None = None

    def __call__(self, left: pl.Series, right: pl.Series) -> pl.Series:
        """Return the similarity of each pair, 0 to 1, in order.

        DuckDB compares bytes, which are the letters of matching keys.
        """
        if self._connection is None:
            # One thread keeps the order and leaves the machine to the database.
            self._connection = duckdb.connect(":memory:", config={"threads": 1})
        connection = self._connection
        pairs = pl.DataFrame({"l": left, "r": right}).to_arrow()
        connection.register("pairs", pairs)
        try:
            found = connection.sql(_ALIKE).to_arrow_table()
        finally:
            connection.unregister("pairs")
        return pl.Series("alike", found.column("alike"), dtype=pl.Float64)

    def close(self) -> None:
        """Give back the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
