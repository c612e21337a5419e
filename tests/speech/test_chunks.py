"""Chunks: what is joined, where it is cut, and that no sample moves."""

import io
import wave
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from coqui_server.config.settings import Settings
from coqui_server.media import wav
from coqui_server.media.samples import SAMPLE_RATE, Samples
from coqui_server.speech.chunks import Chunks
from coqui_server.speech.vad import Closed, Gate, GateEvent, Opened, Speech
from tests.support.clips import clip

RATE = SAMPLE_RATE


def utterance(start: float, seconds: float, value: int = 1) -> list[GateEvent]:
    """An utterance as the gate gives it, in two pieces."""
    half = np.full(round(seconds * RATE) // 2, value, np.int16)
    rest = np.full(round(seconds * RATE) - len(half), value, np.int16)
    return [Opened(start), Speech(half), Speech(rest), Closed(start + seconds)]


def chunked(events: list[GateEvent], longest: float) -> list[tuple[float, float, Samples]]:
    """The chunks of a whole stream: start, end, samples."""
    chunks = Chunks(longest)
    result: list[tuple[float, float, Samples]] = []
    start, held = 0.0, [np.empty(0, np.int16)]
    for event in chunks.push(events) + chunks.flush():
        match event:
            case Opened(start):
                held = [np.empty(0, np.int16)]
            case Speech(pcm):
                held.append(pcm)
            case Closed(end):
                result.append((start, end, np.concatenate(held)))
    return result


def test_neighbours_are_one_chunk_with_their_silence() -> None:
    """The second utterance stands as many samples after the first as it was spoken later."""
    ((start, end, pcm),) = chunked(utterance(1.0, 2.0) + utterance(3.5, 1.0, 2), 10)
    assert (start, end, len(pcm)) == (1.0, 4.5, 3.5 * RATE)
    assert [int(pcm[round(at * RATE)]) for at in (0, 1.99, 2.0, 2.49, 2.5, 3.49)] == [
        1,
        1,
        0,
        0,
        2,
        2,
    ]


def test_a_chunk_is_cut_at_the_silence_before_it_would_be_too_long() -> None:
    """What ends exactly at the limit still fits, what ends a sample later does not."""
    three = utterance(0.0, 3.0) + utterance(3.5, 3.0) + utterance(7.0, 3.0)
    assert [chunk[:2] for chunk in chunked(three, 10.0)] == [(0.0, 10.0)]
    assert [chunk[:2] for chunk in chunked(three, 9.9)] == [(0.0, 6.5), (7.0, 10.0)]


def test_a_long_silence_is_not_sent() -> None:
    """Utterances more than five seconds apart are no neighbours, however short they are."""
    apart = utterance(0.0, 1.0) + utterance(6.1, 1.0)
    assert [chunk[:2] for chunk in chunked(apart, 60)] == [(0.0, 1.0), (6.1, 7.1)]


def test_one_utterance_longer_than_a_chunk_stays_whole() -> None:
    """Nothing is cut where the gate did not cut."""
    assert [chunk[:2] for chunk in chunked(utterance(2.0, 12.0), 10)] == [(2.0, 14.0)]


def test_an_empty_stream_has_no_chunks() -> None:
    """Silence opens nothing, and a second flush closes nothing."""
    chunks = Chunks(10)
    assert chunks.push([]) + chunks.flush() + chunks.flush() == []


SPOKEN = st.lists(
    st.tuples(st.integers(0, 400).map(lambda n: n / 50), st.integers(1, 300).map(lambda n: n / 50)),
    max_size=8,
)


@given(SPOKEN, st.integers(1, 15))
def test_every_sample_keeps_its_place(spoken: list[tuple[float, float]], longest: int) -> None:
    """Chunks keep to the limit and to the order, begin and end where utterances do, and put each
    sample where it was spoken."""
    events: list[GateEvent] = []
    truth = np.zeros(0, np.int16)
    for number, (silence, seconds) in enumerate(spoken, start=1):
        truth = np.concatenate((truth, np.zeros(round(silence * RATE), np.int16)))
        events += utterance(len(truth) / RATE, seconds, number)
        truth = np.concatenate((truth, np.full(round(seconds * RATE), number, np.int16)))
    rebuilt = np.zeros(len(truth), np.int16)
    chunks = chunked(events, longest)
    for start, end, pcm in chunks:
        first = round(start * RATE)
        assert len(pcm) == round(end * RATE) - first
        rebuilt[first : first + len(pcm)] = pcm
        assert end - start <= longest or len(set(pcm.tolist())) == 1
    # In samples: seconds that are added up may differ in the last bit.
    assert all(round(a[1] * RATE) <= round(b[0] * RATE) for a, b in pairwise(chunks))
    assert np.array_equal(rebuilt, truth)


def test_real_speech() -> None:
    """Two sentences are two utterances and one chunk, in which both stand as they were spoken."""
    settings = Settings()
    gate, pcm = Gate(settings.vad, settings.audio, False), clip("voicemail.wav").pcm
    events = gate.push(pcm) + gate.flush()
    assert sum(isinstance(event, Opened) for event in events) == 2
    ((start, end, joined),) = chunked(events, 30)
    first = round(start * RATE)
    spoken = np.flatnonzero(joined)
    assert np.array_equal(joined[spoken], pcm[first:][spoken])
    assert len(joined) == round((end - start) * RATE)


def test_a_wav_file_of_samples() -> None:
    """What is encoded is a file that the standard library reads back."""
    pcm = np.array([0, 1, -1, 32767, -32768], np.int16)
    with wave.open(io.BytesIO(wav.encode(pcm))) as file:
        assert file.getparams()[:4] == (1, 2, RATE, 5)
        assert np.array_equal(np.frombuffer(file.readframes(5), "<i2"), pcm)
