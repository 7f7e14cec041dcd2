"""The proof of the gates: planted bad candidates and good ones, put through the same gates."""
