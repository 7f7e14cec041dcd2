"""Logs that cannot be edited unseen, and what is kept in them."""
