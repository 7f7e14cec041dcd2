"""One outside tool a file. Adapters do not know each other; all may use `files`."""
