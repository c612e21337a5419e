"""`coqui_server.speech.level`: quiet speech is raised, and nothing else is touched."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from coqui_server.config.audio import LevelSettings
from coqui_server.media.samples import Samples
from coqui_server.speech.level import FRAME, Leveller
from tests.support.media import SPEECH, spoken
from tools.sounds import MADE, at, frame_levels, louder, pieces, silence, speech_level, white

fixed = settings(derandomize=True, max_examples=50, deadline=None)

FILE, LIVE = 30.0, 0.0
CEILING = 0.98 * 32767


def levelled(
    pcm: Samples, lookahead: float, cuts: list[int] | None = None, **options: float
) -> Samples:
    """The whole of a sound after the leveller, pushed in slices that end at `cuts`."""
    leveller = Leveller(LevelSettings(**options), lookahead)
    return np.concatenate([*map(leveller.push, pieces(pcm, cuts or [])), leveller.flush()])


@pytest.mark.parametrize("name", SPEECH)
@pytest.mark.parametrize("level", [-50.0, -40.0, -30.0])
def test_quiet_speech_of_a_file_is_raised_to_the_target(name: str, level: float) -> None:
    """A file's speech comes out at the target from its first word to its last."""
    speech = spoken(name)
    quiet = louder(speech, level - speech_level(speech))
    result = levelled(quiet, FILE)
    assert speech_level(result) == pytest.approx(-23, abs=1.5)
    changes = frame_levels(result) - frame_levels(quiet)
    loud = frame_levels(quiet) > level - 10
    assert np.ptp(changes[loud]) < 1.0, "one gain for the whole of a short file"


@pytest.mark.parametrize("target", [-30.0, -26.0])
def test_the_target_is_a_setting(target: float) -> None:
    """Another target is reached as well."""
    result = levelled(louder(spoken("voicemail.wav"), -25), FILE, target=target)
    assert speech_level(result) == pytest.approx(target, abs=1.5)


def test_quiet_live_speech_reaches_the_target() -> None:
    """Live sound is raised step by step, and stays at the target once it is there."""
    speech = np.tile(louder(spoken("voicemail.wav"), -20), 4)
    result = levelled(speech, LIVE)
    assert speech_level(result[len(result) // 2 :]) == pytest.approx(-23, abs=1.5)
    assert np.array_equal(result[: FRAME * 25], speech[: FRAME * 25])


@pytest.mark.parametrize("lookahead", [FILE, LIVE])
@pytest.mark.parametrize("name", SPEECH)
def test_loud_speech_is_not_touched(name: str, lookahead: float) -> None:
    """Speech at or above the target comes out bit by bit."""
    loud = louder(spoken(name), -20 - speech_level(spoken(name)))
    assert np.array_equal(levelled(loud, lookahead), loud)


def test_the_largest_gain_is_a_setting() -> None:
    """A whisper is raised by no more than `max_gain`, and by nothing if that is 0."""
    faint = louder(spoken("voicemail.wav"), -30)
    assert np.array_equal(levelled(faint, FILE, max_gain=0), faint)
    raised = speech_level(levelled(faint, FILE, max_gain=12)) - speech_level(faint)
    assert raised == pytest.approx(12, abs=0.1)


@pytest.mark.parametrize("lookahead", [FILE, LIVE])
@pytest.mark.parametrize("peak", [20000, 32767, -32768])
def test_a_loud_peak_in_quiet_speech_does_not_clip(lookahead: float, peak: int) -> None:
    """A bang in a quiet recording keeps its sign and shape, and stays below the ceiling."""
    quiet = np.tile(louder(spoken("appointment.wav"), -25), 3)
    bang = len(quiet) // 2 // FRAME * FRAME
    quiet[bang : bang + 40] = np.linspace(peak, 0, 40).astype(np.int16)
    result = levelled(quiet, lookahead)
    highest = max(CEILING + 0.5, abs(peak))
    assert np.abs(result.astype(int)).max() <= highest
    assert np.all(np.sign(result) == np.sign(quiet))
    assert np.all(np.abs(result.astype(int)) >= np.abs(quiet.astype(int)))
    assert len(np.unique(result[bang : bang + 40])) == 40


@pytest.mark.parametrize("lookahead", [FILE, LIVE])
@pytest.mark.parametrize("name", ["white", "pink", "dial tone", "hum", "square"])
@pytest.mark.parametrize("level", [-60, -40])
def test_steady_sound_is_not_amplified(name: str, level: float, lookahead: float) -> None:
    """A hissing line is not made a roaring one."""
    noise = at(level, MADE[name](6))
    assert np.array_equal(levelled(noise, lookahead), noise)


@pytest.mark.parametrize("lookahead", [FILE, LIVE])
def test_silence_and_a_converters_noise_are_not_amplified(lookahead: float) -> None:
    """What is fainter than any voice stays so, even where it comes and goes."""
    assert np.array_equal(levelled(silence(5), lookahead), silence(5))
    faint = np.concatenate((silence(2), at(-75, white(2)), silence(2)))
    assert np.array_equal(levelled(faint, lookahead), faint)


@pytest.mark.parametrize("lookahead", [FILE, 0.5, LIVE])
@fixed
@given(cuts=some.lists(some.integers(0, 70_000), max_size=30))
def test_slices_do_not_matter(lookahead: float, cuts: list[int]) -> None:
    """However the sound is cut into pushes, the same samples come out."""
    quiet = louder(spoken("appointment.wav"), -20)
    assert np.array_equal(levelled(quiet, lookahead, cuts), levelled(quiet, lookahead))


@fixed
@given(length=some.integers(0, 20_000), lookahead=some.sampled_from([FILE, 0.1, LIVE]))
def test_every_sample_comes_out(length: int, lookahead: float) -> None:
    """After the flush there are as many samples as went in, frames or no whole frames."""
    quiet = louder(spoken("appointment.wav")[:length], -20)
    result = levelled(quiet, lookahead)
    assert len(result) == len(quiet)
    assert result.dtype == np.int16


@fixed
@given(cuts=some.lists(some.integers(0, 70_000), max_size=20))
def test_live_sound_is_not_delayed(cuts: list[int]) -> None:
    """With no look-ahead, every whole frame comes out of the push that completes it."""
    leveller = Leveller(LevelSettings(), LIVE)
    pushed = given_back = 0
    for piece in pieces(louder(spoken("appointment.wav"), -20), cuts):
        pushed += len(piece)
        given_back += len(leveller.push(piece))
        assert given_back == pushed // FRAME * FRAME


def test_a_look_ahead_is_the_only_delay() -> None:
    """With 1 s of look-ahead, 1 s is held and no more."""
    leveller = Leveller(LevelSettings(), 1.0)
    assert len(leveller.push(silence(1))) == 0
    assert len(leveller.push(silence(0.5))) == 8000
    assert len(leveller.flush()) == 16000


def test_live_gain_changes_slower_than_syllables() -> None:
    """The gain of live sound moves by at most 6 dB/s, so the VAD's contrast is kept."""
    voice = at(-42, white(60) * np.repeat(np.tile([1.0, 0.05], 100), 4800))
    far, near = louder(voice[: 30 * 16000], -6), voice[30 * 16000 :]
    sound = np.concatenate((far, near))
    gains = frame_levels(levelled(sound, LIVE)) - frame_levels(sound)
    measured = gains[frame_levels(sound) > -52]
    assert measured.max() > 20, "the gain has risen"
    assert measured[-1] < measured.max() - 4, "and fallen"
    seconds = np.flatnonzero(frame_levels(sound) > -52) / 50
    slopes = np.abs(np.diff(measured)) - 6 * np.diff(seconds)
    assert slopes.max() < 0.05


def test_a_second_speaker_far_away_is_raised_too() -> None:
    """A long file is followed from speaker to speaker, not given one gain."""
    near = np.tile(spoken("voicemail.wav"), 12)
    far = louder(near, -18)
    result = levelled(np.concatenate((near, far)), FILE)
    assert np.array_equal(result[: 30 * 16000], near[: 30 * 16000])
    assert speech_level(result[-20 * 16000 :]) == pytest.approx(-23, abs=1.5)
