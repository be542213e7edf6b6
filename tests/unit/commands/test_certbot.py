"""How certbot is told to obtain a certificate."""

from pathlib import Path

from pawpaw_ops.commands.certbot import certonly
from pawpaw_ops.models.certificate import WantedCertificate

WANTED = WantedCertificate(names=("a.example.com", "b.example.com"), directory="https://ca.example.com/dir")


def test_everything_is_kept_in_our_own_folder_and_the_names_are_proven_by_files() -> None:
    said = certonly(WANTED, name="prod", folder=Path("/state/acme"), webroot=Path("/acme"))
    words = " ".join(said.argv[1:])
    assert said.argv[0].endswith("/bin/certbot")
    assert words == (
        "certonly --non-interactive --agree-tos --no-eff-email --webroot --webroot-path /acme --cert-name prod"
        " --server https://ca.example.com/dir --config-dir /state/acme --work-dir /state/acme/work"
        " --logs-dir /state/acme/logs --key-type ecdsa --force-renewal --renew-with-new-domains"
        " --register-unsafely-without-email --domain a.example.com --domain b.example.com"
    )
    assert said.env == {}


def test_an_address_and_an_authority_of_ones_own_are_told() -> None:
    own = WANTED.model_copy(update={"email": "ops@example.com", "ca_bundle": "/ca.pem"})
    said = certonly(own, name="prod", folder=Path("/s"), webroot=Path("/w"))
    assert said.argv[said.argv.index("--email") :][:2] == ("--email", "ops@example.com")
    assert said.env == {"REQUESTS_CA_BUNDLE": "/ca.pem"}
