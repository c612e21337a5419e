"""The commands for backup and restore, as the page has them, on a server that runs and is lost."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
from websockets.asyncio.client import connect

from coqui_server.config.store import StoreSettings
from tests.docs.blocks import blocks
from tests.support.clips import clip
from tests.support.daemon import Running, Start
from tests.support.live import Obstacle
from tests.support.stores import server, settings

__all__ = ["server", "settings"]

VOICE = clip("telephone.wav")


def run(name: str, folder: Path, url: str) -> None:
    """Run the block of the page that has this name."""
    note = f"not run: tests/deploy/test_backup.py does: {name}"
    (block,) = (block for block in blocks() if block.note == note)
    environment = {**os.environ, "STORE_URL": url}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    command = ["bash", "-c", f"set -e\n{block.script}"]
    subprocess.run(command, cwd=folder, env=environment, check=True)


async def transcribe(running: Running, cookies: httpx.Cookies) -> None:
    """Send a file as the one who signed in."""
    path = f"{running.url}/api/v1/stt"
    cookie = "; ".join(f"{name}={value}" for name, value in cookies.items())
    async with connect(path, additional_headers={"Cookie": cookie}, compression=None) as socket:
        await socket.send(VOICE.path.read_bytes())
        assert json.loads(await socket.recv())["text"]


async def kept(running: Running, cookies: httpx.Cookies) -> dict[str, Any]:
    """Everything that somebody who signed in before sees: transcripts and sound, by session."""
    async with httpx.AsyncClient(base_url=running.console, cookies=cookies) as web:
        listed = (await web.get("/api/sessions/")).raise_for_status().json()["sessions"]
        found = {}
        for session in listed:
            path = f"/api/sessions/{session['id']}"
            text = (await web.get(path)).raise_for_status().json()
            sound = (await web.get(f"{path}/audio")).raise_for_status().content
            found[session["id"]] = (text, sound)
        return found


async def signed_up(running: Running) -> httpx.Cookies:
    """The cookies of a new account, the first one, which is administrator."""
    async with httpx.AsyncClient(
        base_url=running.console, headers={"Origin": running.console}
    ) as web:
        form = {"name": "anna", "password": "correct horse", "next": "/"}
        assert (await web.post("/sign-up", data=form)).status_code == 303
        return web.cookies


async def test_a_lost_server_is_restored(
    settings: StoreSettings, start: Start, tmp_path: Path
) -> None:
    """Transcripts, sound, accounts and sign-ins are as they were when the backup was made. What
    came later is not there."""
    url = settings.url.get_secret_value() if settings.url else ""
    database = "postgresql" if url else "sqlite"
    configuration = f'auth.required = true\nstore.path = "{settings.path}"'
    if url:
        configuration += f'\nstore.url = "{url}"'
    async with start(Obstacle(text="kept"), configuration, console=True) as running:
        cookies = await signed_up(running)
        await transcribe(running, cookies)
        before = await kept(running, cookies)
        run(f"{database} backup", tmp_path, url)
        await transcribe(running, cookies)
        assert len(await kept(running, cookies)) == 2
    shutil.rmtree(tmp_path / "data" / "recordings")
    run(f"{database} restore", tmp_path, url)
    async with start(Obstacle(), configuration, console=True) as running:
        assert await kept(running, cookies) == before
        assert "kept" in str(before)
        await transcribe(running, cookies)
        assert len(await kept(running, cookies)) == 2
