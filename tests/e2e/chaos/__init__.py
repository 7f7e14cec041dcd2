"""Runs killed anywhere, and what they leave: `python -m tests.e2e.chaos` (make chaos)."""
