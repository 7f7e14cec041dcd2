"""Who runs a command, for the history."""

import getpass
import os
import subprocess


def who() -> str:
    """Return the name that Git signs with here, or else the name of the account."""
    try:
        told = subprocess.run(
            ["git", "config", "user.name"], capture_output=True, text=True, check=False
        )
        if name := told.stdout.strip():
            return name
    except OSError:  # no Git
        pass
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # an account without a name, as in a container
        return f"user {os.getuid()}"
