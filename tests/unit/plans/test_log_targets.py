"""What the log shipper is told."""

import json

from pawpaw_ops.plans.log_targets import log_targets
from pawpaw_ops.plans.startup import Seen


def seen(service: str, number: int, log_file: str) -> Seen:
    return Seen(service=service, name=f"pawpaw-{service}-{number}", status="running", number=number, log_file=log_file)


def test_every_replica_has_the_label_of_the_manuals_query() -> None:
    found = json.loads(
        log_targets("pawpaw", [seen("backend", 2, "/d/2-json.log"), seen("backend", 1, "/d/1-json.log")])
    )
    labels = [one["labels"] for one in found]
    assert [one["__path__"] for one in labels] == ["/d/1-json.log", "/d/2-json.log"]
    assert {one["container_name"] for one in labels} == {"pawpaw_backend"}
    assert [one["replica"] for one in labels] == ["1", "2"]


def test_a_container_without_a_log_file_is_none_of_the_shippers_business() -> None:
    assert json.loads(log_targets("pawpaw", [seen("redis", 1, "")])) == []
