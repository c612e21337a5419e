"""Recordings: the sound as it came, playable at any moment, and gone when its session is."""

import asyncio
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from coqui_server.config.store import RecordingSettings, StoreSettings
from coqui_server.exceptions import ConfigError, StoreError
from coqui_server.media import wav
from coqui_server.media.samples import SAMPLE_RATE
from coqui_server.principal import EVERYBODY
from coqui_server.store.database import Database
from coqui_server.store.keeper import Keeper
from coqui_server.store.recordings import Recording, Recordings
from coqui_server.store.sessions import Sessions
from coqui_server.transcription.events import SessionEnded, SessionStarted, Source
from coqui_server.transcription.request import SessionRequest
from tests.support.clips import clip
from tests.support.stores import Listening, played

VOICE = clip("appointment.wav").pcm

pytestmark = pytest.mark.parametrize("settings", ["sqlite"], indirect=True)


def silence(samples: int) -> "np.ndarray[Any, np.dtype[np.int16]]":
    """So many samples of nothing."""
    return np.zeros(samples, np.int16)


async def test_the_sound_of_a_session(listening: Listening, sessions: Sessions) -> None:
    """Every sample as it came, before any gain, with skipped silence in its place."""
    async with listening().session(SessionRequest("live")) as session:
        for place in range(0, len(VOICE), 700):
            await session.write(VOICE[place : place + 700])
        await session.skip(5000)
        await session.write(VOICE)
        await session.skip(300)
        await session.finish()
    file = sessions.recordings.path(session.id)
    heard = played(file)
    assert np.array_equal(heard, np.concatenate((VOICE, silence(5000), VOICE, silence(300))))
    assert len(heard) == session.samples
    row = await sessions.get(EVERYBODY, session.id)
    assert row.recording == file.stat().st_size == wav.HEADER + 2 * len(heard)
    await sessions.delete(EVERYBODY, session.id)
    assert not file.exists()


async def test_playable_while_it_grows(recordings: Recordings) -> None:
    """After each second that was written, the file is a whole one."""
    recording = Recording("a", recordings)
    for second in range(1, 4):
        await recording.write(VOICE[:SAMPLE_RATE])
        await recordings.run(lambda: None)
        assert len(played(recordings.path("a"))) == second * SAMPLE_RATE
    await recording.close()


async def test_an_hour_of_silence_takes_no_room(recordings: Recordings) -> None:
    """A hole in the file is as good as zeros."""
    recording = Recording("a", recordings)
    await recording.write(VOICE)
    await recording.skip(3600 * SAMPLE_RATE)
    await recording.write(VOICE)
    size = await recording.close()
    file = recordings.path("a")
    with wave.open(str(file)) as sound:
        assert sound.getnframes() == 3600 * SAMPLE_RATE + 2 * len(VOICE)
    assert size == file.stat().st_size
    assert file.stat().st_blocks * 512 < 2**20


@pytest.mark.parametrize("kind", ["file", "live", "rtp"])
async def test_kinds_that_are_not_wanted(
    database: Database, recordings: Recordings, kind: Any
) -> None:
    """Have their text kept, and not their sound."""
    others = RecordingSettings(**{kind: False})
    async with Keeper(database, recordings, others) as keeper:
        for name in ("file", "live", "rtp"):
            source = Source(f"of {name}", name)
            await keeper(SessionStarted(source, "vosk"))
            await keeper.record(source.session, VOICE)
            await keeper(SessionEnded(source, 4.0))
    kept = {name: await recordings.size(name) for name in ("of file", "of live", "of rtp")}
    assert [name for name, size in kept.items() if not size] == [f"of {kind}"]


async def test_a_session_without_sound_has_no_file(
    listening: Listening, sessions: Sessions
) -> None:
    """Nothing came, nothing is kept."""
    async with listening().session(SessionRequest("live")) as session:
        await session.finish()
    assert not sessions.recordings.path(session.id).exists()
    assert (await sessions.get(EVERYBODY, session.id)).recording == 0


async def test_a_full_disk_for_sound(listening: Listening, sessions: Sessions) -> None:
    """The session fails with that, and another goes on."""
    service = listening()
    async with service.session(SessionRequest("live")) as other:
        with pytest.raises(StoreError, match=r"No space left on device$") as full:
            async with service.session(SessionRequest("live")) as session:
                sessions.recordings.path(session.id).symlink_to("/dev/full")
                for _ in range(2):
                    await session.write(VOICE)
                await session.finish()
        await other.write(VOICE)
        await other.finish()
    row = await sessions.get(EVERYBODY, session.id)
    assert (full.value.code, row.state, row.error) == ("disk_full", "failed", str(full.value))
    assert len(played(sessions.recordings.path(other.id))) == len(VOICE)


async def test_a_cancelled_session(listening: Listening, sessions: Sessions) -> None:
    """What was heard until then is there."""
    heard = asyncio.Event()
    ids: list[str] = []

    async def listen() -> None:
        async with listening().session(SessionRequest("live")) as session:
            ids.append(session.id)
            await session.write(VOICE)
            heard.set()
            await asyncio.Event().wait()

    listening_ = asyncio.create_task(listen())
    await heard.wait()
    listening_.cancel()
    await asyncio.gather(listening_, return_exceptions=True)
    assert np.array_equal(played(sessions.recordings.path(ids[0])), VOICE)
    assert (await sessions.get(EVERYBODY, ids[0])).state == "failed"


async def test_a_folder_that_is_a_file(settings: StoreSettings, tmp_path: Path) -> None:
    """Is refused at the start."""
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"^store\.path: found"):
        Recordings(tmp_path / "file")
