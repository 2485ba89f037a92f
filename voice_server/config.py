"""Settings: one class, every option with its unit, default and reason.

Sources, strongest first: command line, ``VOICE_SERVER_*`` environment variables,
``voice-server.toml`` in the working directory, the defaults below.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def cache_root() -> Path:
    """Return the user's cache directory for this program (``XDG_CACHE_HOME`` honoured)."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "voice-server"


class Settings(BaseSettings):
    """Everything an operator may choose."""

    model_config = SettingsConfigDict(
        env_prefix="VOICE_SERVER_",
        toml_file="voice-server.toml",
        extra="forbid",
        frozen=True,
    )

    host: str = Field("127.0.0.1", description="address to listen on; loopback is demo mode")
    port: int = Field(8080, ge=0, le=65535, description="the one port for HTTP and websockets")
    shop: Annotated[tuple[str, ...], NoDecode] = Field(
        ("demo",),
        min_length=1,
        description="shop pack: a folder, or the name of a bundled one; several may be given, the "
        "first is the default one",
    )
    shop_hosts: dict[str, str] = Field(
        default_factory=dict, description="host name to the id of the shop it stands for"
    )
    shop_keys: dict[str, tuple[SecretStr, ...]] = Field(
        default_factory=dict, description="shop id to the API keys that open this shop only"
    )
    watch_s: float = Field(
        2.0, ge=0, description="seconds between looks at the shop packs' files; 0: never look"
    )
    llm: str = Field(
        "embedded",
        description="embedded (llama.cpp on this machine), none (answers from facts only) or the "
        "base URL of any OpenAI-compatible endpoint",
    )
    llm_model: str = Field("", description="model name for an endpoint; empty: its first model")
    llm_key: SecretStr = Field(SecretStr(""), description="API key for the endpoint")
    llm_api: Literal["auto", "openai", "azure"] = Field(
        "auto", description="the endpoint's dialect; auto knows Azure by its host names"
    )
    llm_api_version: str = Field(
        "", description="Azure's dated API, such as 2024-10-21; empty: its v1, or not Azure"
    )
    llm_residency: Literal["", "eu"] = Field(
        "",
        description="eu: what customers say stays in the European Union; an endpoint not known "
        "to be there is refused at start, and nothing falls back to another region",
    )
    llm_region: str = Field(
        "",
        description="where the endpoint is, if its address does not tell: an Azure region "
        "(westeurope), a country (be) or eu",
    )
    llm_leads: Literal["auto", "always", "never"] = Field(
        "auto",
        description="auto: an endpoint answers what the facts are not sure of; always: it words "
        "every answer; never: only what the facts do not know",
    )
    embedded_model: str = Field("qwen2.5-coder-1.5b", description="entry of models/ to run")
    data: Path = Field(Path("data"), description="folder for what must survive a restart")
    database: SecretStr = Field(
        SecretStr(""),
        description="URL of the database (postgresql://user:password@host/name); empty: SQLite in "
        "the data folder",
    )
    remember_s: float = Field(
        86400.0,
        ge=0,
        description="seconds a conversation's memory is kept, so that it survives a restart",
    )
    keep_turns_days: float = Field(
        90.0, gt=0, description="days the words of conversations are kept, masked; then erased"
    )
    keep_events_days: float = Field(
        400.0,
        gt=0,
        description="days the event log is kept: decisions, writes and figures, without words",
    )
    customer_key: SecretStr = Field(
        SecretStr(""),
        description="16 characters or more, the same on all machines: by its digests one "
        "customer's conversations are found; empty: a file made in the data folder",
    )
    models: Path = Field(
        default_factory=lambda: cache_root() / "models", description="folder of the weights"
    )
    api_keys: tuple[SecretStr, ...] = Field(
        (), description="keys clients may use; needed to listen on anything but loopback"
    )
    allowed_origins: tuple[str, ...] = Field(
        (), description="web origins that may open the voice button, besides our own"
    )
    allow_instructions: bool = Field(
        True, description="may a client's session.update replace the shop's instructions?"
    )
    disclose_first: bool = Field(
        True,
        description="say that an AI speaks before the first answer to who has not heard it yet, in "
        "a greeting for example (AI Act, article 50); off only where callers are told otherwise",
    )
    codes: SecretStr = Field(
        SecretStr("auto"),
        description="how one-time codes are sent: none, console (for the demo), smtp:// or "
        "smtps://user:password@host, or the http(s) address of a gateway of yours; auto is the "
        "console in demo mode, else none",
    )
    codes_from: str = Field("", description="the sender of codes by mail; empty: the shop's own")
    codes_secret: SecretStr = Field(SecretStr(""), description="signs codes for your gateway")
    max_sessions: int = Field(
        200, ge=1, description="sessions at once; the next one is refused with 503 or 1013"
    )
    resume_s: float = Field(60.0, ge=0, description="seconds a dropped session can be resumed")
    drain_s: float = Field(20.0, ge=0, description="seconds SIGTERM waits for talking sessions")
    lead_ms: int = Field(
        100,
        ge=20,
        description="ms of speech sent ahead of its playing: what a barge-in cannot take back",
    )
    public_url: str = Field(
        "", description="https://host as phone vendors call this server; empty: the Host they name"
    )
    max_calls: int = Field(100, ge=0, description="phone calls at once; the next one hears busy")
    audiosocket: str = Field(
        "", description="host:port for Asterisk's AudioSocket, usually :9092; empty: not opened"
    )
    sip: str = Field("", description="host:port for SIP by UDP and TCP, usually 0.0.0.0:5060; off")
    sip_tls: str = Field("", description="host:port for SIP by TLS, usually 0.0.0.0:5061; off")
    sip_certificate: str = Field("", description="PEM file of our certificate for SIP by TLS")
    sip_key: str = Field("", description="PEM file of its key; empty: in the same file")
    sip_host: str = Field("", description="our address for the trunk; empty: the one that routes")
    sip_peers: tuple[str, ...] = Field((), description="addresses that may call without password")
    sip_user: str = Field("", description="name that other SIP callers prove")
    sip_password: SecretStr = Field(SecretStr(""), description="and its password, by digest")
    sip_trunk: str = Field("", description="host[:port] that carries calls we place by SIP; off")
    sip_trunk_domain: str = Field("", description="domain of called addresses; empty: the trunk's")
    sip_trunk_user: str = Field("", description="name we prove to the trunk")
    sip_trunk_password: SecretStr = Field(SecretStr(""), description="and its password, by digest")
    sip_trunk_register: bool = Field(
        False, description="register with the trunk, so that it knows where to bring calls"
    )
    sip_trunk_transport: Literal["UDP", "TCP", "TLS"] = Field(
        "UDP", description="how the registration and the calls it brings go"
    )
    sip_trunk_authority: str = Field(
        "", description="PEM file of who vouches for the trunk by TLS; empty: the system's"
    )
    twilio_account_sid: str = Field("", description="AC...: places calls by Twilio")
    twilio_api: str = Field("", description="Twilio's API, if not https://api.twilio.com")
    telnyx_api_key: SecretStr = Field(SecretStr(""), description="places calls by Telnyx")
    telnyx_connection_id: str = Field("", description="Telnyx' Call Control application")
    telnyx_api: str = Field("", description="Telnyx' API, if not https://api.telnyx.com")
    plivo_auth_id: str = Field("", description="places calls by Plivo")
    plivo_api: str = Field("", description="Plivo's API, if not https://api.plivo.com")
    vonage_application_id: str = Field("", description="places calls by Vonage")
    vonage_private_key: SecretStr = Field(
        SecretStr(""), description="of that application: the PEM text"
    )
    vonage_api: str = Field("", description="Vonage's API, if not https://api.nexmo.com")
    twilio_auth_token: SecretStr = Field(SecretStr(""), description="proves Twilio's webhooks")
    plivo_auth_token: SecretStr = Field(SecretStr(""), description="proves Plivo's webhooks")
    telnyx_public_key: str = Field("", description="base64, proves Telnyx' webhooks")
    vonage_signature_secret: SecretStr = Field(
        SecretStr(""), description="proves Vonage's webhooks"
    )
    genesys_api_key: SecretStr = Field(SecretStr(""), description="of the AudioHook integration")
    genesys_client_secret: SecretStr = Field(
        SecretStr(""), description="base64, signs the AudioHook integration's connections"
    )
    asterisk_password: SecretStr = Field(
        SecretStr(""), description="what the dialplan proves itself with; any text of yours"
    )
    shows: Annotated[tuple[Path, ...], NoDecode] = Field(
        (), description="run-sheets of live shows, besides those of the shop pack"
    )
    show_push: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        (), description="show=rtmp://host/app/key, or show=@file with the address in it"
    )
    show_record: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="show=file.mp4: record a live show from its beginning"
    )
    show_layout: Literal["landscape", "portrait"] = Field(
        "landscape", description="the picture of pushed and recorded shows: 1280x720 or 720x1280"
    )
    show_crowd: bool = Field(
        True, description="a made-up audience writes in the demo show of demo mode"
    )
    show_secret: SecretStr = Field(SecretStr(""), description="signs chat sent to our webhook")
    youtube_key: SecretStr = Field(SecretStr(""), description="API key for YouTube's live chat")
    twitch_client_id: str = Field("", description="of the application that the token is for")
    twitch_token: SecretStr = Field(SecretStr(""), description="user token for Twitch EventSub")
    desk_token: SecretStr = Field(
        SecretStr(""), description="API token of the desk's vendor that the shop pack names"
    )
    desk_secret: SecretStr = Field(
        SecretStr(""), description="what the desk's vendor signs its webhooks with"
    )
    tts_threads: int = Field(2, ge=1, description="threads of one speech synthesis")
    warm_phrases: bool = Field(
        True, description="prepare the fixed sentences of all languages while nobody is connected"
    )
    stt_workers: int = Field(1, ge=1, description="transcriptions at once; one thread each")
    log_format: Literal["text", "json"] = Field("text", description="log lines on stderr")
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @field_validator("shop", mode="before")
    @classmethod
    def _several_shops(cls, value: object) -> object:
        """One text may name several packs: "a,b" or, as in other variables, a JSON list."""
        if not isinstance(value, str):
            return value
        if value.lstrip().startswith("["):
            return json.loads(value)
        return tuple(part.strip() for part in value.split(",") if part.strip())

    @field_validator("shows", "show_push", "show_record", mode="before")
    @classmethod
    def _several_shows(cls, value: object) -> object:
        """One text may name several files or places, with commas between them."""
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("codes")
    @classmethod
    def _known_codes(cls, value: SecretStr) -> SecretStr:
        how = value.get_secret_value()
        if how in {"auto", "none", "console"}:
            return value
        if how.startswith(("smtp://", "smtps://", "http://", "https://")):
            return value
        raise ValueError("codes must be auto, none, console, or an smtp(s) or http(s) address")

    @field_validator("llm")
    @classmethod
    def _known_llm(cls, value: str) -> str:
        if value in {"embedded", "none"} or value.startswith(("http://", "https://")):
            return value
        raise ValueError(f"llm must be 'embedded', 'none' or an http(s) URL, not {value!r}")

    @model_validator(mode="after")
    def _keys_off_loopback(self) -> Settings:
        if self.host not in LOOPBACK and not self._has_keys:
            raise ValueError(
                f"listening on {self.host} needs API keys: set VOICE_SERVER_API_KEYS "
                '(a JSON list) or api_keys = ["..."] in voice-server.toml'
            )
        return self

    @property
    def demo_mode(self) -> bool:
        """On loopback without keys: any key, or none, is accepted."""
        return self.host in LOOPBACK and not self._has_keys

    @property
    def _has_keys(self) -> bool:
        return bool(self.api_keys or any(self.shop_keys.values()))

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Command line over environment over file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)
