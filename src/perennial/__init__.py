"""Perennial: a tabular ML pipeline that validates, trains, gates and retrains itself."""
