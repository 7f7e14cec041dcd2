"""Each has one outside tool to itself. Adapters do not know each other; all may use `files`."""
