"""`--speakers`, `--terms`, `--verbatim` and `--channels`: what the client asks the daemon for."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from websockets.asyncio.server import ServerConnection

from coqui_client import live
from tests.support.client import Start, command
from tests.support.daemon import starter
from tests.support.live import Obstacle
from tests.support.media import wav as in_wav
from tests.support.people import ANNA, BERT, conversation

pytestmark = pytest.mark.process

WISHES = ("--speakers", "2", "--terms", "Ana Roe,Vevay & Co", "--verbatim")
ASKED = {"speakers": ["2"], "terms": ["Ana Roe,Vevay & Co"], "format": ["verbatim"]}


@pytest.mark.parametrize(
    ("options", "path", "answer"),
    [
        ((), "/api/v1/stt", {}),
        (("--channels", "mix"), "/api/v1/stt", {}),
        (("--protocol", "json", "--channels", "split"), "/ws", {"type": "transcription"}),
    ],
)
async def test_the_address_has_them(
    start: Start,
    wav: Path,
    reply: dict[str, Any],
    options: tuple[str, ...],
    path: str,
    answer: dict[str, Any],
) -> None:
    """Beside what it has already, and instead of other wishes."""
    asked: list[str] = []

    async def handler(socket: ServerConnection) -> None:
        assert socket.request
        asked.append(socket.request.path)
        await socket.recv()
        await socket.send(json.dumps({**reply, **answer}))

    url = f"{await start(handler)}?engine=vosk&format=readable"
    assert await command(wav, "--url", url, *options, *WISHES) == 0
    parts = urlsplit(asked[0])
    channels = {"channels": [options[-1]]} if "--channels" in options else {}
    assert (parts.path, parse_qs(parts.query)) == (path, {"engine": ["vosk"], **ASKED, **channels})


async def test_more_terms_than_an_address_may_have(
    tmp_path: Path, wav: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The daemon refuses the address, and the client says why."""
    async with starter(tmp_path)(Obstacle()) as server:
        assert await command(wav, "--url", server.url, "--terms", "Vevay," * 2000) == 1
    assert "give fewer terms" in capsys.readouterr().err


@pytest.mark.parametrize("wish", [WISHES[:2], WISHES[2:4], WISHES[4:]])
async def test_not_of_calls(wav: Path, wish: tuple[str, ...]) -> None:
    """A call has no request."""
    with pytest.raises(SystemExit) as left:
        await command(wav, "--rtp", "localhost:5004", *wish)
    assert left.value.code == 2


@pytest.mark.model
@pytest.mark.parametrize("protocol", ["native", "json"])
async def test_who_speaks_live(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    protocol: str,
) -> None:
    """Each line begins with the speaker's name."""
    path = tmp_path / "call.wav"
    path.write_bytes(in_wav(conversation((ANNA, "appointment.wav"), (BERT, "appointment.wav"))))
    monkeypatch.setattr(live, "paced", lambda pieces: pieces)
    async with starter(tmp_path)(Obstacle()) as server:
        options = ("--live", "--protocol", protocol, "--url", server.url, "--speakers", "2")
        assert await command(path, *options) == 0
    said = capsys.readouterr().out.splitlines()
    assert list(dict.fromkeys(said)) == ["Speaker 1: Word", "Speaker 2: Word"]
