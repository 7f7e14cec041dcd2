"""Profiling: what columns of a table are, and what a project of it should choose."""
