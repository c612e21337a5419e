"""What reverse proxies say counts where they are trusted, and nowhere else."""

import logging

import pytest

from coqui_server.auth.arrivals import Arrivals
from coqui_server.auth.proxies import Arrival
from coqui_server.config.settings import Settings
from coqui_server.exceptions import ForeignHost

PROXY, CLIENT = "10.0.0.1", "203.0.113.9"
SETTINGS = {
    "proxies": ["10.0.0.0/24"],
    "prefixes": ["/speech", "/speech/two"],
    "hosts": ["speech.example", "inner"],
}


def arrival(
    address: str = PROXY, path: str = "/vosk", host: str = "inner", **headers: str
) -> Arrival:
    """A request through a proxy, with headers named as keywords are."""
    given = [("Host", host), *((name.replace("_", "-"), headers[name]) for name in headers)]
    settings = Settings.model_validate({"server": SETTINGS})
    return Arrivals(settings).arrival(address, "10.0.0.2", given, path)


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        (CLIENT, CLIENT),
        (f"192.0.2.1, {CLIENT}", CLIENT),
        (f"{CLIENT}, 10.0.0.7", CLIENT),
        (f"{CLIENT}:4711", CLIENT),
        ("[2001:db8::9]:4711", "2001:db8::9"),
        ("2001:DB8::9", "2001:db8::9"),
        ("10.0.0.7, 10.0.0.8", "10.0.0.7"),
        ("", PROXY),
        ("unknown", PROXY),
        (f"{CLIENT}, nonsense", PROXY),
    ],
)
def test_the_client_is_the_last_that_is_no_proxy(forwarded: str, address: str) -> None:
    """Everything before it may be made up by the client."""
    assert arrival(X_Forwarded_For=forwarded).address == address


def test_an_address_of_ipv6_that_means_one_of_ipv4() -> None:
    """A port that listens on both gives them so."""
    assert arrival(f"::ffff:{PROXY}", X_Forwarded_For=CLIENT).address == CLIENT


def test_nobody_else_is_believed(caplog: pytest.LogCaptureFixture) -> None:
    """The log says once how the proxy would be."""
    caplog.set_level(logging.WARNING)
    headers = {
        "X_Forwarded_For": "192.0.2.1",
        "X_Forwarded_Host": "speech.example",
        "X_Forwarded_Proto": "https",
        "X_Forwarded_Prefix": "/other",
    }
    found = arrival("192.0.2.5", **headers)
    assert (found.address, found.scheme, found.prefix) == ("192.0.2.5", None, "")
    assert found.headers["host"] == "inner"
    assert 'server.proxies = ["192.0.2.5"]' in caplog.text


def test_host_and_scheme() -> None:
    """They are those of the nearest proxy, which adds its own at the end."""
    found = arrival(
        X_Forwarded_Host="evil.example, speech.example", X_Forwarded_Proto="http, HTTPS"
    )
    assert (found.headers["host"], found.scheme) == ("speech.example", "https")
    assert arrival(X_Forwarded_Proto="gopher").scheme is None


def test_both_hosts_have_to_be_ours() -> None:
    """The one that the client asked for, and the one that the proxy asks for."""
    with pytest.raises(ForeignHost):
        arrival(X_Forwarded_Host="evil.example")
    with pytest.raises(ForeignHost):
        arrival(host="evil.example", X_Forwarded_Host="speech.example")


def test_a_page_cannot_hide_its_host_behind_two() -> None:
    """Two `Host` headers are none."""
    with pytest.raises(ForeignHost):
        Arrivals(Settings()).arrival(
            "127.0.0.1", "127.0.0.1", [("Host", "localhost"), ("host", "evil.example")], "/"
        )


@pytest.mark.parametrize(
    ("path", "prefix", "rest"),
    [
        ("/vosk", "", "/vosk"),
        ("/speech/vosk", "/speech", "/vosk"),
        ("/speech/two/vosk", "/speech/two", "/vosk"),
        ("/speech", "/speech", "/"),
        ("/speech/", "/speech", "/"),
        ("/speechless", "", "/speechless"),
    ],
)
def test_prefixes(path: str, prefix: str, rest: str) -> None:
    """A proxy may keep them in the path, whoever it is."""
    found = arrival("192.0.2.5", path)
    assert (found.prefix, found.path) == (prefix, rest)


@pytest.mark.parametrize(
    ("value", "prefix"),
    [("/a/b", "/a/b"), ("/a/", "/a"), ("//evil.example", ""), ("/a'><script>", ""), ("a", "")],
)
def test_a_prefix_that_the_proxy_takes_away(value: str, prefix: str) -> None:
    """It says which; only a plain path is one."""
    assert arrival(X_Forwarded_Prefix=value).prefix == prefix
