"""Who listens on a port of this host, and the names of that process's variables: never their values."""

import psutil


def listener(port: int) -> tuple[str, frozenset[str]] | None:
    """Return the address that a process of this host listens on at *port*, and the names in its environment.

    Returns:
        None where nobody does, or we may not look at it.
    """
    try:
        for one in psutil.net_connections(kind="tcp"):
            if one.status == psutil.CONN_LISTEN and one.laddr and one.laddr.port == port and one.pid:
                return str(one.laddr.ip), frozenset(psutil.Process(one.pid).environ())
    except psutil.Error:
        return None
    return None
