"""Rows in Parquet files: batches as they came, matrices between stages."""
