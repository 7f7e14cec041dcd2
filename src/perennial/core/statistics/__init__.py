"""Estimates and metrics with their intervals, of independent rows and of clusters."""
