"""nginx in front of a daemon, as operators set it up."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.daemon import Running
from tools.ports import free_port, wait_until_open

_CONFIGURATION = """
daemon off;
master_process off;
pid {folder}/pid;
error_log stderr;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    proxy_http_version 1.1;
    proxy_buffering off;
    map $http_upgrade $connection_upgrade {{ default upgrade; "" close; }}
    server {{
        listen 127.0.0.1:{port};
        {locations}
    }}
}}
"""

PASSES_ON = """
proxy_set_header Upgrade $http_upgrade;
proxy_set_header Connection $connection_upgrade;
"""
"""What a location for WebSockets needs."""

SAYS_WHAT_IT_WAS = """
proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
proxy_set_header X-Forwarded-Host $http_host;
"""


def nginx() -> str:
    """The path of nginx; without it the test is skipped."""
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        pytest.skip("nginx is not installed")
    return program


@contextmanager
def in_front_of(server: Running, folder: Path, locations: str) -> Iterator[str]:
    """nginx with these locations, in which `{speech}` and `{console}` are the `host:port` of the
    daemon; its own `host:port`."""
    speech, console = (url.partition("://")[2] for url in (server.url, server.console))
    port = free_port()
    placed = locations.format(speech=speech, console=console)
    path = folder / "nginx.conf"
    path.write_text(_CONFIGURATION.format(folder=folder, port=port, locations=placed))
    process = subprocess.Popen([nginx(), "-p", folder, "-c", path])
    try:
        wait_until_open(port, process)
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()
