"""Gates: from evidence to a result that says pass, fail or insufficient, and why."""
