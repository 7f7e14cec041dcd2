"""The processes of this machine, asked by what they were started with (psutil)."""


def with_variable(name: str, value: str) -> list[int]:
    """Return the ids of the live processes whose environment has a variable of that value.

    A child inherits its parent's environment, so what a process left running is found too. Those
    of other users can't be asked and are not found, nor are dead ones that nobody has reaped.
    """
    import psutil

    found = []
    for process in psutil.process_iter():
        try:
            same = process.environ().get(name) == value
            if same and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.pid)
        except (psutil.Error, OSError):
            continue
    return found
