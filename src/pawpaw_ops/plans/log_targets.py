"""Which log files the log shipper reads, and with which labels."""

import json
from collections.abc import Iterable

from pawpaw_ops.plans.startup import Seen


def log_targets(project: str, found: Iterable[Seen]) -> str:
    """Return the shipper's list of files.

    Replicas have no container name of their own: all of them get the label `container_name="pawpaw_backend"`, which
    the operators' queries ask for, and a `replica` besides.

    Args:
        project: The Compose project.
        found: Its containers.

    Source: prometheus.io/docs/prometheus/latest/configuration/configuration (file_sd_config); the shippers share it.
    """
    targets = [
        {
            "targets": ["localhost"],
            "labels": {
                "__path__": one.log_file,
                "container_name": f"{project}_{one.service}",
                "service": one.service,
                "replica": str(one.number),
            },
        }
        for one in sorted(found, key=lambda one: one.name)
        if one.log_file
    ]
    return json.dumps(targets, indent=1) + "\n"
