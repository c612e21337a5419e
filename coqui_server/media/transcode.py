"""Any audio or video file to 16 kHz PCM of all its channels, through an ffmpeg child process.

Bytes go in as they arrive and samples come out as they are decoded, so that a file of any length
needs constant memory. A file that ffmpeg cannot read in this way, or that has several sound tracks
to choose from, goes into a temporary file first, no larger than the message limit.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, aclosing
from functools import partial
from pathlib import Path

from coqui_server.exceptions import BadRequest, NotAudio
from coqui_server.media import judgement
from coqui_server.media.container import HEAD, needs_seeking
from coqui_server.media.decoder import Decoder, decoding, launch
from coqui_server.media.ffmpeg import find_ffmpeg, reap
from coqui_server.media.ffmpeg_log import FfmpegLog, Track
from coqui_server.media.mixdown import Mixdown
from coqui_server.media.samples import Frames
from coqui_server.media.source import FileSource, Source, StreamedSource
from coqui_server.media.upload_copy import UploadCopy
from coqui_transcript.transcript import TranscriptWarning

Sound = AsyncGenerator[Frames, None]

Listen = Callable[[Track], Sound]
"""The sound of a track, to find out what is in it. Close it to stop early."""

Choose = Callable[[Sequence[Track], Listen], Awaitable[Track]]
"""Chooses one of several tracks."""

Warn = Callable[[TranscriptWarning], None]
"""Takes what is wrong with a file that can be read all the same."""

_Read = Callable[[Decoder, Source], Sound]
"""Gives the sound of an open file."""

_STEREO = 2
"""Channels; the track of a film that has more is a mix for loudspeakers, not of several parties."""

_log = logging.getLogger(__name__)


async def first_choice(tracks: Sequence[Track], listen: Listen) -> Track:
    """The track that players choose."""
    return next((track for track in tracks if track.default), tracks[0])


async def _numbered(number: int, tracks: Sequence[Track], _: Listen) -> Track:
    if number > len(tracks):
        raise BadRequest(f"there is no track {number}: the file has {len(tracks)}")
    return tracks[number - 1]


def ignore(warning: TranscriptWarning) -> None:
    """For callers that only want the sound."""


class Transcoder:
    """Runs ffmpeg, one process for each file.

    Args:
        path: the ffmpeg program; None to look for one (`find_ffmpeg`).
        patience: seconds without progress after which a file is given up.
    """

    def __init__(self, path: Path | None = None, patience: float = 60.0) -> None:
        self.program = find_ffmpeg(path)
        self._patience = patience

    async def transcode(
        self,
        chunks: AsyncIterator[bytes],
        path: Path | None = None,
        *,
        track: int | None = None,
        choose: Choose = first_choice,
        warn: Warn = ignore,
        surround: bool = False,
    ) -> Sound:
        """The sound of the file with the bytes of `chunks`, as 16 kHz int16 frames.

        Close the generator to stop early: the process and the temporary file are gone when
        `aclose()` returns. Cancelling does the same.

        Args:
            path: the same file, if it is on the disk already. Then it is not copied.
            track: the number of the sound track, from 1.
            choose: is asked if the file has several tracks, and none is named.
            warn: is told at the end what is wrong with the file.
            surround: keep the channels of a film with more than two; otherwise they are mixed.

        Raises:
            NotAudio: the file has no sound, or is not a media file.
            BadRequest: it has no such track.
            TranscodeError: ffmpeg could not be started, or stopped making progress.
        """
        head, chunks = await _peek(chunks)
        if not head:
            raise NotAudio("the message is empty; send the bytes of an audio file", "empty")
        if track is not None:
            choose = partial(_numbered, track)
        read = partial(_sound, warn=warn, surround=surround)
        async with UploadCopy(chunks, path) as copy:
            if not needs_seeking(head):
                streamed = False
                async with aclosing(self._streamed(head, copy, track, read)) as sound:
                    async for frames in sound:
                        streamed = True
                        yield frames
                if streamed:
                    return
            async with aclosing(self._from_disk(head, copy, choose, read)) as sound:
                async for frames in sound:
                    yield frames

    async def duration(self, path: Path) -> float | None:
        """Seconds of sound in a file by its head, if known. An estimate of ffmpeg, for progress."""
        log = FfmpegLog()
        process = await launch(self.program, *FileSource(b"", path).options, piped=False)
        assert process.stderr is not None
        try:
            async with asyncio.timeout(self._patience):
                log.feed((await process.stderr.read()).decode("utf-8", "replace"))
                await process.wait()
        except TimeoutError:
            return None
        finally:
            await reap(process)
        return log.duration

    async def _streamed(
        self, head: bytes, copy: UploadCopy, track: int | None, read: _Read
    ) -> Sound:
        """The sound of an upload as it comes; nothing if it has to be read from the disk."""
        source = StreamedSource(head, copy)
        async with self._decoding(source, 1) as decoder:
            await decoder.opened()
            if refusal := judgement.refusal(decoder.log):
                raise refusal
            if len(decoder.log.tracks) > 1 or track not in (None, 1):
                return
            try:
                async with aclosing(read(decoder, source)) as sound:
                    async for frames in sound:
                        copy.release()
                        yield frames
            except NotAudio:
                # From the disk, it may be read in another order, or taken for another format.
                return

    async def _from_disk(self, head: bytes, copy: UploadCopy, choose: Choose, read: _Read) -> Sound:
        """The sound of a file on the disk, of the track that `choose` wants."""
        source = FileSource(head, await copy.whole())
        async with self._decoding(source, 1) as decoder:
            await decoder.opened()
            tracks = decoder.log.tracks or [Track(1)]
            track = await choose(tracks, lambda track: self._track(source, track, _sound))
            if track.number == 1:
                async with aclosing(read(decoder, source)) as sound:
                    async for frames in sound:
                        yield frames
                return
        async with aclosing(self._track(source, track, read)) as sound:
            async for frames in sound:
                yield frames

    async def _track(self, source: Source, track: Track, read: _Read) -> Sound:
        async with (
            self._decoding(source, track.number) as decoder,
            aclosing(read(decoder, source)) as sound,
        ):
            async for frames in sound:
                yield frames

    def _decoding(self, source: Source, track: int) -> AbstractAsyncContextManager[Decoder]:
        return decoding(self.program, source, track, self._patience)


async def _sound(
    decoder: Decoder, source: Source, warn: Warn = ignore, surround: bool = False
) -> Sound:
    """All frames, and then what is wrong with the file."""
    await decoder.opened()
    if refusal := judgement.refusal(decoder.log):
        raise refusal
    samples, mixdown = 0, Mixdown()
    async with aclosing(decoder.sound()) as sound:
        async for frames in sound:
            samples += len(frames)
            film = decoder.log.pictures and frames.shape[1] > _STEREO
            yield mixdown.push(frames)[:, None] if film and not surround else frames
    code = await decoder.ended()
    _log.debug("ffmpeg ended with %d after %d samples", code, samples)
    if not samples:
        raise judgement.without_sound(decoder.log, code)
    found = judgement.warnings(decoder.log, samples, cut_off=source.cut_off)
    for warning in found:
        warn(warning)


async def _peek(chunks: AsyncIterator[bytes]) -> tuple[bytes, AsyncIterator[bytes]]:
    """The first bytes, enough to find the format, and an iterator over all bytes."""
    head = b""
    async for chunk in chunks:
        head += chunk
        if len(head) >= HEAD:
            break

    async def everything() -> AsyncIterator[bytes]:
        yield head
        async for chunk in chunks:
            yield chunk

    return head, everything()
