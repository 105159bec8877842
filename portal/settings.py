"""Settings: read once from the environment, checked whole, frozen. No secret has a default."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from privacy.backup_folder import Keep
from privacy.engines import sqlite_url
from privacy.key_sources import KeyDescriptor, KeyFolder, KeySource

KEEP = "35d"
KEEP_KEYS = "7d"
"""Shorter: as long as an old key store is kept, an erasure can be undone by whoever has all the keys."""


STORES = {"redis", "rediss"}
OFF = {"", "0", "false", "no"}
THIS_MACHINE = {"localhost", "127.0.0.1", "::1"}


class SettingsFaults(Exception):
    """Some settings cannot be used; `faults` holds a line for each."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


class Mode(StrEnum):
    DEVELOPMENT = "development"
    PRODUCTION = "production"


@dataclass(frozen=True)
class Smtp:
    """Where mail goes out. STARTTLS is verified unless the host is this machine."""

    host: str
    port: int
    user: str | None = None
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Backups:
    """Where the worker puts its backups, whom it seals them to, how often, and how long they are kept."""

    folder: Path
    certificates: tuple[Path, ...]
    every: timedelta
    keep: Keep
    keep_keys: Keep


@dataclass(frozen=True)
class Settings:
    """Where this instance lives and how it is reached. `now` starts the clock elsewhere, to try dates out;
    `now_since` is when it did, for processes that one server started (PORTAL_NOW_SINCE, set by it alone).

    The keys come from the folder `keys`, or from a file descriptor (PORTAL_KEYS_FD; the processes that one server
    starts read it from PORTAL_KEYS_FROM, set by it alone).

    `proxies` is how many proxies of ours stand before the portal: that many addresses at the end of X-Forwarded-For
    are believed. `processes` serve the pages; `limits_store` is the Redis or Valkey in which they count together.
    On `metrics_port` of this machine Prometheus reads; `counts_to` is where processes of one server send what they
    counted (PORTAL_COUNTS_TO, set by it alone)."""

    mode: Mode
    instance: Path
    keys: Path
    database_url: str = field(repr=False)
    keystore_url: str = field(repr=False)
    public_url: str
    programme: Path | None
    smtp: Smtp | None
    now: datetime | None
    now_since: float | None = None
    backups: Backups | None = None
    postgres_programs: Path | None = None
    proxies: int = 0
    processes: int = 1
    limits_store: str | None = field(default=None, repr=False)
    metrics_port: int | None = None
    counts_to: int | None = None
    key_source: KeySource = field(kw_only=True, compare=False)

    @property
    def secure(self) -> bool:
        """Whether browsers reach us over HTTPS, so that cookies can be tied to it."""
        return self.public_url.startswith("https://")

    @property
    def trusted_hosts(self) -> list[str]:
        return sorted({"localhost", "127.0.0.1", urlsplit(self.public_url).hostname or "localhost"})

    def elsewhere(self, *, database_url: str, keystore_url: str) -> "Settings":
        """The same instance with other databases. Raises SettingsFaults."""
        faults: list[str] = []
        named = {"DATABASE_URL": database_url, "KEYSTORE_URL": keystore_url}
        other = replace(
            self,
            database_url=_database(named, "DATABASE_URL", self.instance, faults),
            keystore_url=_database(named, "KEYSTORE_URL", self.instance, faults),
        )
        _check_lines(other, faults)
        _check_apart(other, faults)
        if faults:
            raise SettingsFaults(faults)
        return other

    def served_on(self, port: int, environ: Mapping[str, str]) -> "Settings":
        """The same where the pages are on another port than was read: that is their address, unless PUBLIC_URL is."""
        return self if "PUBLIC_URL" in environ else replace(self, public_url=f"http://localhost:{port}")

    @classmethod
    def from_environ(cls, environ: Mapping[str, str], *, root: Path) -> "Settings":
        """Read the settings; relative paths are below `root`. Raises SettingsFaults with all faults."""
        faults: list[str] = []
        instance = root / environ.get("PORTAL_INSTANCE", "instance")
        mode = _mode(environ.get("PORTAL_MODE", "development"), faults)
        public_url = environ.get("PUBLIC_URL", f"http://localhost:{environ.get('PORT', '8000')}").rstrip("/")
        if urlsplit(public_url).scheme not in {"http", "https"} or not urlsplit(public_url).hostname:
            faults.append("PUBLIC_URL must be an address such as https://portal.example")
        elif mode is Mode.PRODUCTION and not public_url.startswith("https://"):
            faults.append("PUBLIC_URL must begin with https:// in production")
        smtp = _smtp(environ, faults)
        if mode is Mode.PRODUCTION and smtp is None:
            faults.append("SMTP_HOST is missing: production sends real mail")
        if mode is Mode.PRODUCTION and environ.get("FLASK_DEBUG", "0").lower() not in OFF:
            faults.append("FLASK_DEBUG is refused in production: it shows what went wrong to whoever comes")
        programme = environ.get("PORTAL_PROGRAMME")
        keys = root / environ["PORTAL_KEYS"] if "PORTAL_KEYS" in environ else instance / "keys"
        settings = cls(
            mode=mode,
            instance=instance,
            keys=keys,
            database_url=_database(environ, "DATABASE_URL", instance / "portal.sqlite", faults),
            keystore_url=_database(environ, "KEYSTORE_URL", instance / "keystore.sqlite", faults),
            public_url=public_url,
            programme=root / programme if programme else None,
            smtp=smtp,
            now=_now(environ, mode, faults),
            now_since=float(environ["PORTAL_NOW_SINCE"]) if "PORTAL_NOW_SINCE" in environ else None,
            backups=_backups(environ, root, faults),
            postgres_programs=root / environ["POSTGRES_BIN"] if environ.get("POSTGRES_BIN") else None,
            proxies=_number(environ, "PORTAL_PROXIES", 0, 0, faults),
            processes=_number(environ, "PORTAL_PROCESSES", _processes(environ), 1, faults),
            limits_store=environ.get("LIMITS_STORE") or None,
            metrics_port=_port(environ, "PORTAL_METRICS_PORT", faults),
            counts_to=_port(environ, "PORTAL_COUNTS_TO", faults),
            key_source=_key_source(environ, keys, faults),
        )
        _check_counting(settings, environ, faults)
        _check_lines(settings, faults)
        _check_apart(settings, faults)
        if faults:
            raise SettingsFaults(faults)
        return settings


def _check_counting(settings: "Settings", environ: Mapping[str, str], faults: list[str]) -> None:
    """Limits count by network and over all processes: that both are known is not left to chance in production."""
    store = settings.limits_store
    if store is not None and urlsplit(store).scheme not in STORES:
        faults.append(f"LIMITS_STORE must be an address that begins with {' or '.join(sorted(STORES))}")
    if settings.processes > 1 and settings.database_url.startswith("sqlite"):
        faults.append("PORTAL_PROCESSES must be 1 with SQLite")
    if settings.mode is not Mode.PRODUCTION:
        return
    if settings.processes > 1 and store is None:
        faults.append(
            "LIMITS_STORE is missing: with several processes floods are counted in a shared store, "
            "such as redis://localhost:6379. Or set PORTAL_PROCESSES to 1"
        )
    if "PORTAL_PROXIES" not in environ:
        faults.append("PORTAL_PROXIES is missing: how many proxies stand before the portal, mostly 1")


def _check_lines(settings: "Settings", faults: list[str]) -> None:
    """What goes to another machine goes over verified TLS in production; to this one nobody listens."""
    if settings.mode is not Mode.PRODUCTION:
        return
    for name, url in (("DATABASE_URL", settings.database_url), ("KEYSTORE_URL", settings.keystore_url)):
        parsed = make_url(url)
        host = parsed.query.get("host", parsed.host)
        away = isinstance(host, str) and host not in THIS_MACHINE and not host.startswith("/")
        if away and parsed.query.get("sslmode") != "verify-full":
            faults.append(f"{name} must end in ?sslmode=verify-full: the database is on another machine")
    store = urlsplit(settings.limits_store or "")
    if store.scheme == "redis" and store.hostname not in THIS_MACHINE:
        faults.append("LIMITS_STORE must begin with rediss:// : the store is on another machine")


def _check_apart(settings: "Settings", faults: list[str]) -> None:
    if settings.database_url == settings.keystore_url:
        faults.append("KEYSTORE_URL must not be the database: keys lie apart from the data")


def _processes(environ: Mapping[str, str]) -> int:
    """One for SQLite, where a second would only wait; else one for each core."""
    database = environ.get("DATABASE_URL") or "sqlite"
    return 1 if database.startswith("sqlite") else os.cpu_count() or 1


def _number(environ: Mapping[str, str], name: str, default: int, least: int, faults: list[str]) -> int:
    text = environ.get(name)
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or int(text) < least:
        faults.append(f"{name} must be a number, {least} or more")
        return default
    return int(text)


def _port(environ: Mapping[str, str], name: str, faults: list[str]) -> int | None:
    return _number(environ, name, 0, 1, faults) or None


def _key_source(environ: Mapping[str, str], folder: Path, faults: list[str]) -> KeySource:
    if handed_on := environ.get("PORTAL_KEYS_FROM"):
        return KeyDescriptor(handed_on)
    text = environ.get("PORTAL_KEYS_FD")
    if not text:
        return KeyFolder(folder)
    if not text.isascii() or not text.isdigit():
        faults.append("PORTAL_KEYS_FD must be the number of a file descriptor")
        return KeyFolder(folder)
    if "PORTAL_KEYS" in environ:
        faults.append("PORTAL_KEYS and PORTAL_KEYS_FD are both set: the keys come from one place")
    return KeyDescriptor(int(text))


def _mode(text: str, faults: list[str]) -> Mode:
    try:
        return Mode(text)
    except ValueError:
        faults.append(f"PORTAL_MODE must be development or production, not {text}")
        return Mode.DEVELOPMENT


def _database(environ: Mapping[str, str], name: str, default: Path, faults: list[str]) -> str:
    text = environ.get(name)
    if not text:
        return sqlite_url(default)
    try:
        url = make_url(text)
    except ArgumentError:
        faults.append(f"{name} is no database address")
        return sqlite_url(default)
    if url.get_backend_name() == "postgresql":
        return url.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
    if url.get_backend_name() != "sqlite":
        faults.append(f"{name} must be an SQLite or a PostgreSQL address")
    return text


def _smtp(environ: Mapping[str, str], faults: list[str]) -> Smtp | None:
    host = environ.get("SMTP_HOST")
    if not host:
        return None
    port = environ.get("SMTP_PORT", "587")
    if not port.isascii() or not port.isdigit():
        faults.append("SMTP_PORT must be a number")
        port = "587"
    return Smtp(host, int(port), environ.get("SMTP_USER"), environ.get("SMTP_PASSWORD"))


def _backups(environ: Mapping[str, str], root: Path, faults: list[str]) -> Backups | None:
    folder = environ.get("BACKUP_DIR")
    if not folder:
        return None
    certificates = [path for path in environ.get("BACKUP_CERTIFICATE", "").split(os.pathsep) if path]
    if not certificates:
        faults.append("BACKUP_CERTIFICATE is missing: backups are sealed to a certificate")
    minutes = environ.get("BACKUP_MINUTES", "60")
    if not minutes.isascii() or not minutes.isdigit() or not int(minutes):
        faults.append("BACKUP_MINUTES must be a number of minutes")
        minutes = "60"
    return Backups(
        folder=root / folder,
        certificates=tuple(root / path for path in certificates),
        every=timedelta(minutes=int(minutes)),
        keep=_keep(environ, "BACKUP_KEEP", KEEP, faults),
        keep_keys=_keep(environ, "BACKUP_KEEP_KEYS", KEEP_KEYS, faults),
    )


def _keep(environ: Mapping[str, str], name: str, default: str, faults: list[str]) -> Keep:
    try:
        return Keep.parse(environ.get(name) or default)
    except ValueError as error:
        faults.append(f"{name}: {error}")
        return Keep.parse(default)


def _now(environ: Mapping[str, str], mode: Mode, faults: list[str]) -> datetime | None:
    text = environ.get("PORTAL_NOW")
    if not text:
        return None
    if mode is Mode.PRODUCTION:
        faults.append("PORTAL_NOW is refused in production")
    try:
        now = datetime.fromisoformat(text)
    except ValueError:
        faults.append("PORTAL_NOW must be an instant such as 2023-03-01T09:00:00+00:00")
        return None
    return now if now.tzinfo else now.replace(tzinfo=UTC)
