"""Where a model is reached: which dialect an address speaks, and in which part of the world.

A shop that promised its customers that their words stay in the European Union sets
``llm_residency = "eu"``: an address that is not known, or not declared, to lie there is refused at
start.  Nothing falls back to another region later: redirects are not followed, and an Azure
resource that reports another region in its answers is not asked again.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit, urlunsplit

import openai

Api = Literal["auto", "openai", "azure"]
Residency = Literal["", "eu"]

AZURE_HOSTS = (".openai.azure.com", ".cognitiveservices.azure.com", ".services.ai.azure.com")
"""Resource hosts of Azure OpenAI and AI Foundry: they do not tell their region."""

AZURE_REGIONAL = ".api.cognitive.microsoft.com"
"""Regional hosts: ``westeurope.api.cognitive.microsoft.com``."""

OPENAI_HOST = "api.openai.com"
"""``eu.api.openai.com`` is the same with data residency in Europe."""

EU_AZURE_REGIONS = frozenset(
    {
        "austriaeast", "belgiumcentral", "denmarkeast", "finlandcentral", "francecentral",
        "francesouth", "germanynorth", "germanywestcentral", "greececentral", "italynorth",
        "northeurope", "polandcentral", "spaincentral", "swedencentral", "swedensouth",
        "westeurope",
    }
)  # fmt: skip
"""Azure's regions inside the Union (not Norway, Switzerland or the United Kingdom)."""

EU_COUNTRIES = frozenset(
    {
        "at", "be", "bg", "cy", "cz", "de", "dk", "ee", "es", "fi", "fr", "gr", "hr", "hu", "ie",
        "it", "lt", "lu", "lv", "mt", "nl", "pl", "pt", "ro", "se", "si", "sk",
    }
)  # fmt: skip


class EndpointError(ValueError):
    """An address that cannot, or must not, be used; the message is for the operator."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A chat endpoint, understood."""

    url: str
    """As the client takes it: the base URL, or for the dated Azure API the resource's root."""
    api: Literal["openai", "azure", "azure_dated"] = "openai"
    api_version: str = ""
    residency: Residency = ""

    @property
    def needs_model(self) -> bool:
        """Azure's models are deployments with names of the owner's: none can be guessed."""
        return self.api != "openai"

    def client(self, key: str, timeout: openai.Timeout) -> openai.AsyncOpenAI:
        """Return a client that asks once, at this address and nowhere else."""
        # A redirect would carry the customer's words to another host, perhaps another country.
        http = openai.DefaultAsyncHttpxClient(follow_redirects=False, timeout=timeout)
        if self.api == "azure_dated":
            return openai.AsyncAzureOpenAI(
                azure_endpoint=self.url,
                api_version=self.api_version,
                api_key=key or "none",
                max_retries=0,
                timeout=timeout,
                http_client=http,
            )
        return openai.AsyncOpenAI(
            base_url=self.url,
            api_key=key or "none",
            max_retries=0,
            timeout=timeout,
            http_client=http,
        )

    def stray(self, reported: str) -> bool:
        """Does an answer's own word for its region (``x-ms-region``) break the residency?"""
        return bool(self.residency and reported) and not in_eu(reported)


def endpoint(
    url: str,
    *,
    api: Api = "auto",
    api_version: str = "",
    residency: Residency = "",
    region: str = "",
) -> Endpoint:
    """Return what an address is, after checking that it may be used.

    Args:
        url: the base URL as the operator wrote it.
        api: the dialect; "auto" knows Azure by its host names.
        api_version: Azure's dated API; empty means its v1.
        residency: the part of the world that the words must not leave; empty: anywhere.
        region: where the operator says the endpoint is, when its address does not tell: an Azure
            region ("westeurope"), a country of the Union ("be") or "eu".

    Raises:
        EndpointError: the address is unusable or lies, or may lie, outside the residency.
    """
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    if not host:
        raise EndpointError(f"{url!r} is no address: write https://host/v1")
    azure = api == "azure" or (api == "auto" and host.endswith((*AZURE_HOSTS, AZURE_REGIONAL)))
    if api_version and not azure:
        raise EndpointError(
            f"llm_api_version is for Azure only: for {host} leave it empty, "
            'or set llm_api = "azure"'
        )
    if residency:
        _check_residency(host, region)
    if not azure:
        return Endpoint(url, residency=residency)
    root = urlunsplit((parts.scheme, parts.netloc, "", "", ""))
    if api_version:
        return Endpoint(root, "azure_dated", api_version, residency)
    return Endpoint(f"{root}/openai/v1/", "azure", "", residency)


def in_eu(region: str) -> bool:
    """Is this region (Azure's name, a country code, or "eu") in the European Union?"""
    name = region.lower().replace(" ", "").replace("-", "")
    return name == "eu" or name in EU_AZURE_REGIONS or name in EU_COUNTRIES


def _check_residency(host: str, region: str) -> None:
    if host == f"eu.{OPENAI_HOST}" or _is_this_machine(host):
        return
    if host == OPENAI_HOST or host.endswith(f".{OPENAI_HOST}"):
        raise EndpointError(
            f'llm_residency is "eu", but {host} may answer from anywhere: '
            f"set llm to https://eu.{OPENAI_HOST}/v1 (the project must have residency in Europe)"
        )
    if host.endswith(AZURE_REGIONAL):
        region = host.removesuffix(AZURE_REGIONAL)
    if not region:
        raise EndpointError(
            f'llm_residency is "eu", but the address {host} does not tell where it is: set '
            "llm_region to the resource's region, such as westeurope, or to the country of your "
            "own server, such as be"
        )
    if not in_eu(region):
        raise EndpointError(
            f'llm_residency is "eu", but {host} is in {region!r}: use a resource inside the '
            f"European Union (Azure: {', '.join(sorted(EU_AZURE_REGIONS))})"
        )


def _is_this_machine(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
