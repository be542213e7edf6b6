"""Who listens on a port of this host."""

import socket

from pawpaw_ops.clients.listening import listener


def test_hardening_HRD_04_the_address_and_the_names_of_the_variables_are_told_and_no_value() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        found = listener(server.getsockname()[1])
    assert found is not None
    address, names = found
    assert address == "127.0.0.1"
    assert "PATH" in names
    assert not [name for name in names if "=" in name]


def test_hardening_HRD_04_where_nobody_listens_nothing_is_known() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert listener(port) is None
