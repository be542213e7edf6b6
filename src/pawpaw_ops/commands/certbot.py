"""How certbot is told to obtain a certificate. It is the one that is installed beside us, pinned like all else.

Source: eff-certbot.readthedocs.io/en/stable/using.html#certbot-command-line-options.
"""

import sys
from pathlib import Path

from pawpaw_ops.commands.command import Command
from pawpaw_ops.models.certificate import WantedCertificate


def certonly(wanted: WantedCertificate, *, name: str, folder: Path, webroot: Path) -> Command:
    """Prove the names by files under *webroot* and obtain a certificate, whatever certbot thinks of the one it has.

    Args:
        wanted: Names, and the authority.
        name: What certbot calls the certificate.
        folder: Where it keeps account, keys and certificates.
        webroot: Folder that the gateway serves at port 80.

    Touches:
        *folder*, and files in *webroot* that go again; an account and an order at the authority.
    """
    contact = ("--email", wanted.email) if wanted.email else ("--register-unsafely-without-email",)
    argv = (
        *(
            str(Path(sys.executable).parent / "certbot"),
            "certonly",
            "--non-interactive",
            "--agree-tos",
            "--no-eff-email",
        ),
        *("--webroot", "--webroot-path", str(webroot), "--cert-name", name, "--server", wanted.directory),
        *("--config-dir", str(folder), "--work-dir", str(folder / "work"), "--logs-dir", str(folder / "logs")),
        *("--key-type", "ecdsa", "--force-renewal", "--renew-with-new-domains", *contact),
        *(word for host in wanted.names for word in ("--domain", host)),
    )
    env = {"REQUESTS_CA_BUNDLE": wanted.ca_bundle} if wanted.ca_bundle else {}
    return Command(argv=argv, env=env, timeout_s=300)
