"""The configuration in the image, and the Compose files that fill it in."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from coqui_server.config.loading import load
from tests.support.clips import ROOT

DEPLOY = ROOT / "deploy"
SHAPES = ("compose.yaml", "compose.scale.yaml")
VARIABLE = re.compile(r"\$\{\?(\w+)\}")
KNOWN = set(VARIABLE.findall((DEPLOY / "application.conf").read_text(encoding="utf-8")))

OURS = {"server", "server-1", "server-2", "worker"}
"""The services that run our image."""


def composed(tool: dict[str, Path], name: str) -> dict[str, Any]:
    """The services as Compose understands them; a file it does not take fails here."""
    command = [str(tool["docker-compose"]), "-f", str(DEPLOY / name), "config", "--format", "json"]
    environment = {**os.environ, "POSTGRES_PASSWORD": "secret"}
    read = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert read.returncode == 0, read.stderr
    services: dict[str, Any] = json.loads(read.stdout)["services"]
    return services


def test_the_configuration_of_the_image(monkeypatch: pytest.MonkeyPatch) -> None:
    """It works without any variable, for others to reach it, and takes each variable there is."""
    for name in KNOWN:
        monkeypatch.delenv(name, raising=False)
    settings, _ = load(DEPLOY / "application.conf")
    assert settings.server.http.host == settings.web.host == settings.rtp.host == "0.0.0.0"
    assert settings.auth.required
    assert settings.log.format == "json"
    assert settings.store.path == Path("/var/lib/coqui_server")
    monkeypatch.setenv("SERVER_HOSTS", "speech.example, speech.test")
    monkeypatch.setenv("SERVER_DRAIN", "45 s")
    monkeypatch.setenv("AUTH_REQUIRED", "false")
    monkeypatch.setenv("STORE_URL", "postgresql://coqui@db/coqui")
    settings, _ = load(DEPLOY / "application.conf")
    assert settings.server.hosts == ("speech.example", "speech.test")
    assert (settings.server.drain, settings.auth.required) == (45, False)
    assert settings.store.url
    assert settings.store.url.get_secret_value() == "postgresql://coqui@db/coqui"


@pytest.mark.parametrize("name", SHAPES)
def test_the_services_are_shut_in_and_may_finish(tool: dict[str, Path], name: str) -> None:
    """Read-only, without capabilities, with time for a shutdown, and with variables that the image
    knows."""
    settings, _ = load(DEPLOY / "application.conf")
    services = composed(tool, name)
    ours = [services[each] for each in OURS & set(services)]
    assert ours
    for service in ours:
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
        assert service["tmpfs"] == ["/tmp"]
        assert service["stop_grace_period"] == "1m15s"
        assert 2 * settings.server.drain + 5 < 75
        assert set(service["environment"]) <= KNOWN
        assert service["build"]["dockerfile"] == "deploy/Dockerfile"


def test_each_server_has_udp_ports_of_its_own(tool: dict[str, Path]) -> None:
    """Gateways are told numbers of the inside, so they are the same outside."""
    services = composed(tool, "compose.scale.yaml")
    published = {
        name: {
            (port["target"], int(port["published"]))
            for port in services[name]["ports"]
            if port["protocol"] == "udp"
        }
        for name in ("server-1", "server-2")
    }
    assert not published["server-1"] & published["server-2"]
    for name, ports in published.items():
        settings = services[name]["environment"]
        first, last = map(int, settings["RTP_PORTS"].split("-"))
        shared = int(settings["RTP_PORT"])
        expected = {shared, shared + 1, *range(first, last + 1)}
        assert {target for target, _ in ports} == {outside for _, outside in ports} == expected


def test_the_page_names_every_variable() -> None:
    """And none that there is not."""
    page = (ROOT / "docs" / "deployment.md").read_text(encoding="utf-8")
    table = page.partition("| variable | setting |")[2].partition("\n\n")[0]
    first = [row.split("|")[1] for row in table.splitlines()[2:]]
    assert set(re.findall(r"`(\w+)`", " ".join(first))) == KNOWN


def test_the_service_of_systemd(systemd_analyze: str) -> None:
    """Its exposure is at most 3.0 of 10."""
    command = [systemd_analyze, "security", "--offline=true", "--threshold=30"]
    rated = subprocess.run(
        [*command, str(DEPLOY / "coqui_server.service")], capture_output=True, text=True
    )
    assert rated.returncode == 0, rated.stdout + rated.stderr


def test_haproxy_finds_the_servers_by_their_names(tool: dict[str, Path]) -> None:
    """And is given the ports that it listens on."""
    services = composed(tool, "compose.scale.yaml")
    text = (DEPLOY / "haproxy.cfg").read_text(encoding="utf-8")
    servers = set(re.findall(r"^\s+server (\S+) (\S+):(\d+)", text, re.M))
    assert servers == {(name, name, "8000") for name in services if name.startswith("server-")}
    listening = set(re.findall(r"^\s+bind :(\d+)", text, re.M))
    assert listening == {port["published"] for port in services["haproxy"]["ports"]}
