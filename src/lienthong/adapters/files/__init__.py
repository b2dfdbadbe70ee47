"""Read CSV, XLSX and Parquet files of any size in blocks; write the result whole or not at all."""
