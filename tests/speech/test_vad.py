"""`coqui_server.speech.vad`: a stream is cut into utterances, and loses no word."""

from itertools import pairwise

import numpy as np
import pytest

from coqui_server.config.audio import AudioSettings, Kind, VadSettings
from coqui_server.media.samples import SAMPLE_RATE
from coqui_server.speech.endpointing import LATE, SOON
from coqui_server.speech.level import FRAME
from coqui_server.speech.vad import Closed, Gate, Paused, Speech
from tests.support.gate import KINDS, checked, events, gapless, joined, trimmed
from tests.support.media import SPEECH
from tools.sounds import MADE, at, dial, frame_levels, louder, silence, white


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", SPEECH)
@pytest.mark.parametrize("before", [0.0, 0.5, 2.01])
def test_an_utterance_begins_shortly_before_its_first_sound(
    name: str, kind: Kind, before: float
) -> None:
    """The first consonant is in, and hardly any of the silence before it."""
    pcm = joined(silence(before), trimmed(name), silence(2))
    start, *_ = checked(pcm, kind)[0]
    assert before - 0.35 <= start <= before + FRAME / SAMPLE_RATE


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", SPEECH)
def test_no_loud_frame_is_lost(name: str, kind: Kind) -> None:
    """All of a clip that can be heard is in some utterance."""
    pcm = joined(silence(1), trimmed(name), silence(2))
    given_out = np.zeros(len(pcm), bool)
    for start, end, _ in checked(pcm, kind):
        given_out[round(start * SAMPLE_RATE) : round(end * SAMPLE_RATE)] = True
    loud = np.repeat(frame_levels(pcm) > -35, FRAME)
    missed = (loud & ~given_out[: len(loud)]).sum() / SAMPLE_RATE
    assert missed <= 0.04


@pytest.mark.parametrize(("gap", "file", "live"), [(1.5, 2, 2), (0.7, 1, 2), (0.3, 1, 1)])
def test_a_pause_parts_utterances(gap: float, file: int, live: int) -> None:
    """Live sound is parted by shorter pauses than a file, which need not be answered quickly."""
    word = trimmed("appointment.wav")
    pcm = joined(silence(0.5), word, silence(gap), word, silence(1))
    assert len(checked(pcm, "file")) == file
    assert len(checked(pcm, "live")) == live
    assert len(checked(pcm, "rtp")) == live


def _waited(vad: VadSettings, kind: Kind, expected: float | None = None) -> float:
    """Seconds of silence after speech until the gate says that it is over.

    At the pause it is told to wait for `expected` seconds.
    """
    gate = Gate(vad, AudioSettings(), kind != "file")
    assert not any(isinstance(e, Closed) for e in gate.push(joined(silence(0.5), gapless(2))))
    for frame in range(1, 200):
        happened = gate.push(silence(0.02))
        if expected is not None and Paused() in happened:
            happened += gate.expect(expected)
        if any(isinstance(event, Closed) for event in happened):
            return frame * 0.02
    raise AssertionError("never closed")


@pytest.mark.parametrize("kind", KINDS)
def test_the_older_servers_keys_close_as_they_did(kind: Kind) -> None:
    """`padding` and `ratio` without `silence` end an utterance after three quarters of 0.3 s."""
    assert 0.2 <= _waited(VadSettings(padding=300, ratio=0.75), kind) <= 0.4


def test_silence_is_waited_for_as_it_is_set() -> None:
    """Nine tenths of the window must be silent; webrtcvad goes on a moment after the voice."""
    assert 1.05 <= _waited(VadSettings(), "file") <= 1.35
    assert 0.43 <= _waited(VadSettings(), "live") <= 0.65
    assert 1.75 <= _waited(VadSettings.model_validate({"silence": "2 s"}), "rtp") <= 2.15


def test_the_words_decide_how_long_is_waited() -> None:
    """Soon or late, unless a silence is set."""
    assert 0.2 <= _waited(VadSettings(), "live", SOON) <= 0.4
    assert 0.72 <= _waited(VadSettings(), "rtp", LATE) <= 0.95
    for fixed in ({"silence": "500 ms"}, {"silence": {"live": "500 ms"}}):
        for expected in (SOON, LATE):
            waited = _waited(VadSettings.model_validate(fixed), "live", expected)
            assert 0.43 <= waited <= 0.65


def test_silence_that_is_long_enough_already_ends_at_once() -> None:
    """The words are known only after a while; then no more sound is waited for."""
    gate = Gate(VadSettings(), AudioSettings(), True)
    happened = gate.push(joined(silence(0.5), gapless(2), silence(0.4)))
    assert Paused() in happened
    assert isinstance(happened[-1], Paused | Speech)
    (closed,) = gate.expect(SOON)
    assert isinstance(closed, Closed)
    assert gate.expect(SOON) == []


def test_the_next_word_takes_a_short_wait_back() -> None:
    """What was expected of one pause is not expected of the next."""
    gate = Gate(VadSettings(), AudioSettings(), True)
    word = gapless(1)
    gate.push(joined(silence(0.5), word, silence(0.34)))
    assert gate.expect(SOON + 0.1) == []
    gate.push(word)
    assert not any(isinstance(event, Closed) for event in gate.push(silence(0.5)))
    assert any(isinstance(event, Closed) for event in gate.push(silence(0.3)))


def test_an_utterance_that_is_too_long_is_cut_where_it_is_quiet() -> None:
    """No piece is longer than allowed, none of the sound is lost, and no cut is in a vowel."""
    pcm = joined(silence(0.5), gapless(30), silence(2))
    result = checked(pcm, "file", VadSettings(max_utterance=8000))
    assert len(result) >= 4
    assert all(end - start <= 8.0 for start, end, _ in result)
    cuts = [one[1] for one, other in pairwise(result) if one[1] == other[0]]
    assert len(cuts) == len(result) - 1, "each piece begins where the one before it ended"
    assert result[0][0] <= 0.5
    assert result[-1][1] >= 30.5
    levels = frame_levels(pcm)
    middle = np.median(levels[25 : 25 + 1500])
    assert all(levels[round(cut / 0.02)] < middle for cut in cuts)


@pytest.mark.parametrize("seconds", [2, 60])
def test_the_shortest_and_the_longest_cut_lose_nothing(seconds: int) -> None:
    """The limits of `max_utterance` work as well as what is between."""
    pcm = joined(silence(0.5), gapless(70), silence(2))
    result = checked(pcm, "live", VadSettings(max_utterance=seconds * 1000))
    assert all(end - start <= seconds for start, end, _ in result)
    assert all(one[1] == other[0] for one, other in pairwise(result))
    assert result[0][0] <= 0.5
    assert result[-1][1] >= 70.5


@pytest.mark.parametrize("kind", ["file", "live"])
@pytest.mark.parametrize("level", [-45, -20])
@pytest.mark.parametrize("name", MADE)
def test_noise_and_tones_open_nothing(name: str, level: float, kind: Kind) -> None:
    """12 s of what is no speech give no event at all, quiet or loud."""
    assert events(joined(silence(0.51), at(level, MADE[name](12)), silence(1)), kind) == []


@pytest.mark.parametrize("kind", KINDS)
def test_silence_opens_nothing(kind: Kind) -> None:
    """Nor does silence, nor a stream that ends at once."""
    assert events(silence(10), kind) == []
    assert events(silence(0), kind) == []
    assert events(silence(0.001), kind) == []


@pytest.mark.parametrize("before", [0.0, 3.0])
@pytest.mark.parametrize("name", SPEECH)
@pytest.mark.parametrize("length", [0.35, 0.5])
def test_a_short_word_at_the_very_end_is_given(name: str, before: float, length: float) -> None:
    """A stream that ends inside a word still gives it, too short as it is to have opened."""
    word = trimmed(name)[: round(length * SAMPLE_RATE) // FRAME * FRAME]
    result = checked(joined(silence(before), word))
    assert len(result) == 1
    start, end, _ = result[0]
    assert start <= before + 0.02
    assert end == pytest.approx(before + len(word) / SAMPLE_RATE, abs=0.021)


@pytest.mark.parametrize("name", SPEECH)
def test_a_door_that_slams_does_not_hide_a_word(name: str) -> None:
    """A quiet word right after a bang much louder than it is given all the same."""
    bang = at(-8, white(0.05))
    word = louder(trimmed(name)[: round(0.75 * SAMPLE_RATE)], -20)
    result = checked(joined(silence(0.5), bang, silence(0.2), word, silence(2)))
    assert any(start <= 0.8 and end >= 1.2 for start, end, _ in result)


@pytest.mark.parametrize("keys", ["5", "195"])
@pytest.mark.parametrize("name", SPEECH)
def test_a_key_does_not_hide_the_answer_after_it(name: str, keys: str) -> None:
    """A quiet word spoken right after loud keys is given; the keys alone are not."""
    pressed = at(-15, dial(keys, 0.3, 0.1))
    word = louder(trimmed(name)[: round(0.75 * SAMPLE_RATE)], -15)
    assert checked(joined(silence(0.5), pressed, silence(2))) == []
    result = checked(joined(silence(0.5), pressed, word, silence(2)))
    spoken_from = 0.5 + len(pressed) / SAMPLE_RATE
    assert any(start <= spoken_from and end >= spoken_from + 0.4 for start, end, _ in result)


def test_speech_after_a_long_noise_is_given() -> None:
    """What was refused as noise does not hide the words that follow it."""
    pcm = joined(at(-30, white(12)), silence(1), trimmed("voicemail.wav"), silence(1))
    result = checked(pcm)
    assert result
    assert 12.6 <= result[0][0] <= 13.02
    assert result[-1][1] >= len(pcm) / SAMPLE_RATE - 1.1


def test_speech_that_begins_in_noise_does_not_bring_all_the_noise() -> None:
    """Words spoken while the line hisses start near their first sound, not with the hiss."""
    hiss = at(-40, white(12 + len(trimmed("voicemail.wav")) / SAMPLE_RATE))
    hiss[-len(trimmed("voicemail.wav")) :] += trimmed("voicemail.wav") // 2
    result = checked(hiss, "live")
    assert result
    assert 10.0 <= result[0][0] <= 12.02
