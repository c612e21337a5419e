"""Which of several sound tracks of a file is transcribed: one that has speech."""

from collections.abc import Sequence
from contextlib import aclosing

from coqui_server.config.settings import Settings
from coqui_server.exceptions import NotAudio
from coqui_server.media.ffmpeg_log import Track
from coqui_server.media.mixdown import Mixdown
from coqui_server.media.samples import SAMPLE_RATE, Samples
from coqui_server.media.transcode import Listen, Warn
from coqui_server.speech.level import Leveller
from coqui_server.speech.vad import Gate, Speech
from coqui_transcript.transcript import TranscriptWarning

_ENOUGH = 2.0
"""Seconds of speech after which a track is known to have some."""


async def choose_track(
    settings: Settings, warn: Warn, tracks: Sequence[Track], listen: Listen
) -> Track:
    """The track that players choose if it has speech, or else the first one with speech. If several
    have, `warn` is told."""
    if len(tracks) == 1:
        return tracks[0]
    by_choice = sorted(tracks, key=lambda track: not track.default)
    speaking = [track for track in by_choice if await _speaks(settings, track, listen)]
    if not speaking:
        return by_choice[0]
    if len(speaking) > 1:
        numbers = " and ".join(str(n) for n in sorted(track.number for track in speaking))
        text = f"tracks {numbers} have speech; this is the text of track {speaking[0].number}"
        warn(TranscriptWarning("several_tracks", text))
    return speaking[0]


async def _speaks(settings: Settings, track: Track, listen: Listen) -> bool:
    """Whether there is speech in a track. One that cannot be decoded has none."""
    gate = Gate(settings.vad, settings.audio, live=False)
    leveller = Leveller(settings.level, 0.0)
    mixdown, speech = Mixdown(), 0
    try:
        async with aclosing(listen(track)) as sound:
            async for frames in sound:
                speech += _speech(gate, leveller.push(mixdown.push(frames)))
                if speech > _ENOUGH * SAMPLE_RATE:
                    return True
    except NotAudio:
        return False
    return speech + _speech(gate, leveller.flush(), last=True) > 0


def _speech(gate: Gate, pcm: Samples, *, last: bool = False) -> int:
    """Samples of speech that the gate lets through."""
    events = gate.push(pcm) + (gate.flush() if last else [])
    return sum(len(event.pcm) for event in events if isinstance(event, Speech))
