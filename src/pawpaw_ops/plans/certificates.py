"""When a certificate is renewed, when one waits, and what a new one must be."""

import ipaddress
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from pawpaw_ops.errors import ConfigError, VerificationError
from pawpaw_ops.models.certificate import Attempts, Certificate, WantedCertificate

DIRECTORIES = {
    "production": "https://acme-v02.api.letsencrypt.org/directory",
    "staging": "https://acme-staging-v02.api.letsencrypt.org/directory",
}
SHORT = timedelta(days=10)
"""A certificate that lives no longer is renewed at half of its life, any other when a third is left."""
FIRST_WAIT, LONGEST_WAIT = timedelta(hours=1), timedelta(hours=24)


def wanted(env: Mapping[str, str]) -> WantedCertificate:
    """Read what the `.env` asks for; no names where no authority would certify the shop's.

    Raises:
        ConfigError: A name is one that an answer over HTTP cannot prove, or the directory is no address.
    """
    more = (*env.get("ACME_NAMES", "").split(","), env.get("OPS_DOMAIN", ""))
    names = [env.get("SHOP_DOMAIN", "localhost"), *filter(None, more)]
    said = env.get("ACME_DIRECTORY") or "production"
    directory = DIRECTORIES.get(said, said)
    if not directory.startswith("https://"):
        raise ConfigError(f"ACME_DIRECTORY in the .env is {said!r}: staging, production, or an https:// address.")
    if wild := [name for name in names if "*" in name]:
        raise ConfigError(f"{', '.join(wild)} cannot be proven by an answer over HTTP: name each host.")
    names = [] if _private(names[0]) else names
    return WantedCertificate(
        names=tuple(dict.fromkeys(name.lower() for name in names)),
        directory=directory,
        email=env.get("ACME_EMAIL", ""),
        ca_bundle=env.get("ACME_CA_BUNDLE", ""),
    )


def _private(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return name == "localhost" or "." not in name or name.endswith((".localhost", ".local", ".internal"))
    return True


def due(found: Certificate, names: Sequence[str], now: datetime, *, suggested: datetime | None = None) -> str:
    """Return why a certificate is to be renewed; empty where it is not.

    Args:
        found: The certificate.
        names: Those that it is to be good for.
        now: The moment.
        suggested: A moment in the window that its authority names. It may be early, as when many are revoked at once;
            one that leaves less than half of our own time is not waited for.

    Source: certbot 4.1 and newer renew so; Let's Encrypt's lifetimes change, so that no number of days lasts.
    """
    if found.self_signed:
        return "es la provisional que hizo la puerta"
    if missing := sorted(set(names) - {*found.names}):
        return f"no sirve para {', '.join(missing)}"
    life = found.not_after - found.not_before
    window = life / 2 if life <= SHORT else life / 3
    left = found.not_after - now
    if suggested and suggested <= now:
        return f"su autoridad pide renovarlo desde el {suggested:%Y-%m-%d}"
    return f"le quedan {left.days} de {life.days} días" if left < (window / 2 if suggested else window) else ""


def wait_until(attempts: Attempts, now: datetime) -> datetime | None:
    """Return when the authority may be asked again; None where it may be now, as when the clock was set back."""
    if not attempts.failed or attempts.last_at is None or attempts.last_at > now:
        return None
    wait = min(FIRST_WAIT * 2 ** min(attempts.failed - 1, 10), LONGEST_WAIT)
    until = attempts.last_at + wait
    return until if now < until else None


def check_new(new: Certificate, names: Sequence[str], now: datetime) -> None:
    """Refuse a certificate that would not do.

    Raises:
        VerificationError: It lacks a name, is not valid now, or is due at once.
    """
    if new.not_before > now:
        raise VerificationError(
            f"the new certificate is valid from {new.not_before:%Y-%m-%dT%H:%MZ} on.", hint="Is the clock right?"
        )
    if why := due(new, names, now):
        raise VerificationError(f"the certificate that was issued would not do: {why}.")


def mismatched(file: Certificate, served: Mapping[str, Certificate]) -> tuple[str, ...]:
    """Return the names on which something else is served than what lies in the gateway's folder."""
    return tuple(name for name, one in served.items() if one.serial != file.serial)
