"""Where an object of a store is, for people."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from pawpaw_ops.clients.locations import FolderLocation, Location
from pawpaw_ops.clients.s3 import S3Location
from pawpaw_ops.models.store import FolderSettings, S3Settings

LOGIN = {"bucket": "pawpaw", "access_key_id": "canary-id", "secret_access_key": SecretStr("canary-key")}


@pytest.mark.parametrize(
    ("location", "address"),
    [
        (
            FolderLocation(FolderSettings(path=Path("/var/lib/mi tienda"))),
            "file:///var/lib/mi%20tienda/a/m%20%C3%B1.json",
        ),
        (
            S3Location(S3Settings(endpoint_url="https://s3.example.com", prefix="torreon", **LOGIN)),
            "https://s3.example.com/pawpaw/torreon/a/m%20%C3%B1.json",
        ),
        (
            S3Location(S3Settings(region="us-west-2", **LOGIN)),
            "https://s3.us-west-2.amazonaws.com/pawpaw/a/m%20%C3%B1.json",
        ),
    ],
    ids=["folder", "server", "AWS"],
)
def test_an_address_leads_to_the_object_and_has_no_login_in_it(location: Location, address: str) -> None:
    assert location.link("a/m ñ.json") == address
