"""Replay: retraining policies run over past periods, each as if it had just arrived."""
