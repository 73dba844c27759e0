"""Every setting, in one typed place: `KAMP_*` environment variables, then `kamp.toml`."""

from __future__ import annotations

import os
import tomllib
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from kamp_lib.errors import UsageError


def _templates() -> Path:
    """`templates/` beside the package in a checkout, inside it in a wheel."""
    here = Path(__file__).parent
    beside = here.parent / "templates"
    return beside if beside.is_dir() else here / "_templates"


def _guidebooks() -> Path:
    """`notebooks/` beside the package in a checkout, inside it in a wheel."""
    here = Path(__file__).parent
    beside = here.parent / "notebooks"
    return beside if beside.is_dir() else here / "_guidebooks"


class Settings(BaseSettings):
    """What can be set, with its default and meaning."""

    model_config = SettingsConfigDict(
        env_prefix="KAMP_", toml_file="kamp.toml", extra="ignore", env_ignore_empty=True
    )

    home: Path = Field(
        default_factory=lambda: Path.home() / "kamp",
        description="KAMP_HOME: all state of the workbench.",
    )
    tenant_home: Path | None = Field(
        default=None,
        description="The one company folder this process may see (set in a workspace).",
    )
    person: str | None = Field(
        default=None,
        max_length=100,
        description="Who is at work, as data sets and runs record it (set in a workspace).",
    )
    person_name: str | None = Field(
        default=None,
        max_length=200,
        description="How that person is addressed (set in a workspace).",
    )
    lang: Literal["ko", "en"] = Field(default="ko", description="Language of messages.")
    templates: Path = Field(
        default_factory=_templates, description="Analysis and report templates."
    )
    guidebooks: Path = Field(
        default_factory=_guidebooks, description="Notebooks to learn from."
    )
    database: str | None = Field(
        default=None,
        description="URL of the platform database; SQLite in KAMP_HOME when unset.",
    )
    uid_base: int = Field(
        default=200_000,
        ge=1000,
        description="First user id of the range that a hub run by root gives to companies.",
    )
    hub_url: str = Field(
        default="http://kamp.localhost:8000",
        description="Where browsers find the hub; each company is a sub-domain of it.",
    )
    hub_bind: str = Field(
        default="127.0.0.1", description="Address on which the proxy listens."
    )
    hub_port: int | None = Field(
        default=None,
        ge=1,
        le=65535,
        description="Port of the proxy where it is not the one of KAMP_HUB_URL (behind a TLS terminator).",
    )
    hub_database: str | None = Field(
        default=None,
        description="URL of the hub's own database; SQLite in KAMP_HOME when unset.",
    )
    hub_certificate: Path | None = Field(
        default=None, description="TLS certificate (with its chain) of the hub."
    )
    hub_certificate_key: Path | None = Field(
        default=None, description="Private key of the TLS certificate."
    )
    unsafe_no_walls: bool = Field(
        default=False,
        description="Serve several companies without walls; for simulated data only.",
    )
    hub_stop_servers: bool = Field(
        default=True, description="End all servers when the hub ends."
    )
    disk_reserve_gb: float = Field(
        default=2,
        ge=0,
        description="Free disk space kept for the platform: below it, whoever writes most is stopped.",
    )
    idle_minutes: int = Field(
        default=60, ge=1, description="Idle time after which a workspace is ended."
    )
    idle_report_minutes: int = Field(
        default=30, ge=1, description="Idle time after which a report server is ended."
    )
    oidc_issuer: str | None = Field(
        default=None, description="Sign in through this OpenID Connect provider (URL)."
    )
    oidc_client_id: str | None = Field(default=None, description="Our id there.")
    oidc_client_secret: SecretStr | None = Field(
        default=None, description="Our secret there."
    )
    oidc_name_claim: str = Field(
        default="preferred_username",
        description="Claim that holds a person's name in our registry.",
    )
    run_timeout: int = Field(
        default=1800, ge=10, description="Seconds after which a run is stopped."
    )
    mapping_sure: float = Field(
        default=0.7,
        ge=0,
        le=1,
        description="Confidence from which a column is mapped without asking.",
    )
    threads: int = Field(
        default=2, ge=1, description="Threads that one run may compute with."
    )
    fast_kernels: bool | Literal["attach"] = Field(
        default=True,
        description="Fork kernels from a process that has imported the libraries (0: start each as usual).",
    )
    dask: str | None = Field(
        default=None,
        description="Address of a Dask scheduler (tcp://…) on which `kamp batch` makes its runs.",
    )
    file_password: SecretStr | None = Field(
        default=None, description="Password of locked files; asked for when unset."
    )
    chromium: str | None = Field(
        default=None, description="Path of Chromium for PDF export; found when unset."
    )

    @field_validator("home", "tenant_home")
    @classmethod
    def _with_the_persons_home(cls, path: Path | None) -> Path | None:
        """`~/kamp` means the same for every part of the program."""
        return path.expanduser() if path is not None else None

    @property
    def database_url(self) -> str:
        """The platform database's URL."""
        path = str(self.home.absolute() / "platform.db")
        written = path.replace("%", "%25").replace("?", "%3F")
        return self.database or f"sqlite:///{written}"

    @property
    def fast_kernels_told(self) -> str:
        """KAMP_FAST_KERNELS, as other processes are told it."""
        chosen = self.fast_kernels
        return chosen if isinstance(chosen, str) else str(int(chosen))

    @property
    def hub_folder(self) -> Path:
        """The hub's own state, readable by nobody else."""
        return self.home.absolute() / "hub"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


def settings() -> Settings:
    """The settings as they stand now, read afresh so that tests and notebooks may set them."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = "KAMP_" + "_".join(str(part) for part in first["loc"]).upper()
        raise UsageError(
            f"설정 {name} 값이 올바르지 않습니다: {first['msg']}",
            f"the setting {name} is wrong: {first['msg']}",
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(
            f"설정 파일 kamp.toml을 읽을 수 없습니다: {error}. 그 줄을 고치세요.",
            f"cannot read the settings file kamp.toml: {error}; mend that line.",
        ) from error


def person() -> str:
    """Who is at work: the person of this workspace, else the user of the system."""
    import getpass

    told = settings().person
    if told:
        return told
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user id without a name, as sandboxes have
        return str(os.getuid())


@cache
def package_version() -> str:
    """The version of KAMP Workbench that is running."""
    from importlib.metadata import version

    return version("kamp-workbench")
