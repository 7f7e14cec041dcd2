"""`python -m perennial.cli` is `perennial`."""

from perennial.cli import main

main()
