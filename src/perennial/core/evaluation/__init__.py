"""What is found out about a candidate on the holdout beyond its metrics."""
