"""Files of every kind, made by the ffmpeg that comes in a package, each once in a run."""

import io
import subprocess
import tempfile
import wave
from functools import cache
from pathlib import Path

import av
import imageio_ffmpeg
import numpy as np

from coqui_server.media.samples import SAMPLE_RATE, Samples
from tools.sounds import at, white

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
SPEECH = sorted(path.name for path in SAMPLES.iterdir() if path.suffix in (".wav", ".flac", ".ogg"))
"""The names of all sample clips."""

SECONDS = 3.0

_VIDEO = ["-f", "lavfi", "-i", f"testsrc=size=64x48:rate=10:duration={SECONDS}"]
_STEREO = ["-af", "pan=stereo|c0=c0|c1=0.5*c0", "-ar", "44100"]
_SURROUND = ["-af", "pan=5.1|FL=c0|FR=c0|FC=c0|LFE=0*c0|BL=c0|BR=c0", "-ar", "48000"]
_OPUS = ["-c:a", "libopus", "-b:a", "64k"]
_AAC = ["-c:a", "aac", "-b:a", "96k", "-ar", "44100"]
_MPEG4 = ["-c:v", "mpeg4", *_AAC]

RECIPES: dict[str, tuple[str, list[str]]] = {
    "wav 8-bit": ("wav", ["-c:a", "pcm_u8"]),
    "wav 16-bit": ("wav", ["-c:a", "pcm_s16le", "-metadata", "title=Talk"]),
    "wav 24-bit": ("wav", ["-c:a", "pcm_s24le", "-ar", "48000"]),
    "wav float": ("wav", ["-c:a", "pcm_f32le", "-ar", "22050"]),
    "wav mu-law": ("wav", ["-c:a", "pcm_mulaw", "-ar", "8000"]),
    "wav stereo": ("wav", _STEREO),
    "wav 5.1": ("wav", _SURROUND),
    "mp3": ("mp3", ["-c:a", "libmp3lame", "-b:a", "64k", "-id3v2_version", "0"]),
    "mp3 with title": ("mp3", ["-c:a", "libmp3lame", "-b:a", "64k", "-metadata", "title=Talk"]),
    "flac": ("flac", ["-c:a", "flac"]),
    "ogg opus": ("ogg", _OPUS),
    "ogg vorbis": ("ogg", ["-c:a", "libvorbis"]),
    "webm": ("webm", _OPUS),
    "m4a": ("ipod", _AAC),
    "m4a faststart": ("ipod", [*_AAC, "-movflags", "+faststart"]),
    "mp4": ("mp4", _MPEG4),
    "mov": ("mov", _MPEG4),
    "3gp": ("3gp", ["-c:v", "mpeg4", "-c:a", "aac"]),
    "mkv": ("matroska", _MPEG4),
    "avi": ("avi", ["-c:v", "mpeg4", "-c:a", "libmp3lame"]),
    "aac": ("adts", _AAC),
    "amr": ("amr", ["-c:a", "libopencore_amrnb", "-ar", "8000"]),
    "silent mp4": ("mp4", ["-an", "-c:v", "mpeg4"]),
    "silent mkv": ("matroska", ["-an", "-c:v", "mpeg4"]),
    "png": ("image2", ["-an", "-frames:v", "1", "-c:v", "png"]),
    "jpeg": ("image2", ["-an", "-frames:v", "1", "-c:v", "mjpeg"]),
}
"""By name: ffmpeg's output format, and its options."""

_WITH_PICTURES = {"mp4", "mov", "3gp", "mkv", "avi", "silent mp4", "silent mkv", "png", "jpeg"}


def wav_header(length: int, before: bytes = b"") -> bytes:
    """The head of a 16 kHz mono 16-bit WAV that states a length of its sound."""
    riff = min(length + 36 + len(before), 0xFFFFFFFF).to_bytes(4, "little")
    form = b"fmt \x10\0\0\0\x01\0\x01\0\x80\x3e\0\0\0\x7d\0\0\x02\0\x10\0"
    return b"RIFF" + riff + b"WAVE" + form + before + b"data" + length.to_bytes(4, "little")


def wav(pcm: Samples) -> bytes:
    """A WAV file of these samples."""
    return wav_header(2 * len(pcm)) + pcm.astype("<i2").tobytes()


def several_channels(*channels: Samples) -> bytes:
    """A WAV file with these channels, each padded with silence to the longest."""
    longest = max(map(len, channels))
    frames = np.stack([np.pad(pcm, (0, longest - len(pcm))) for pcm in channels], 1)
    with io.BytesIO() as made:
        with wave.open(made, "wb") as file:
            file.setnchannels(len(channels))
            file.setsampwidth(2)
            file.setframerate(SAMPLE_RATE)
            file.writeframes(frames.astype("<i2").tobytes())
        return made.getvalue()


def in_a_room(*voices: Samples, echo: float = 0.3) -> tuple[Samples, Samples]:
    """What two microphones, half a metre apart, hear of people who sit in different places.

    Args:
        echo: seconds until it has faded by 60 dB. It is another one on each microphone.
    """
    random = np.random.default_rng(3)
    length = round(echo * SAMPLE_RATE)
    fading = 10 ** (-3 * np.arange(length) / length)
    size = max(map(len, voices)) + length
    heard = [np.zeros(size), np.zeros(size)]
    for place, voice in enumerate(voices):
        for side, sound in enumerate(heard):
            response = random.normal(size=length) * fading * 0.03
            near = place == side
            response[0 if near else 23] += 0.5 if near else 0.3
            sound += np.fft.irfft(np.fft.rfft(voice, size) * np.fft.rfft(response, size), size)
    left, right = (np.clip(np.rint(sound), -32768, 32767).astype(np.int16) for sound in heard)
    return left, right


class Media:
    """The same 3 s of sound in every kind of file."""

    def __init__(self, folder: Path) -> None:
        # Noise whose level jumps at random every 150 ms: an envelope no codec and no shift fakes.
        steps = np.random.default_rng(7).uniform(-30, 0, round(SECONDS / 0.15))
        loudness = np.repeat(10 ** (steps / 20), round(0.15 * SAMPLE_RATE))
        low = np.convolve(white(SECONDS), np.hanning(9), "same")
        self.pcm = at(-22, low * loudness)
        self._folder = folder
        self._files: dict[str, bytes] = {}

    def file(self, name: str) -> bytes:
        """The bytes of the file that `RECIPES` calls `name`."""
        if name not in self._files:
            self._files[name] = self._make(name)
        return self._files[name]

    def _make(self, name: str) -> bytes:
        form, options = RECIPES[name]
        program = imageio_ffmpeg.get_ffmpeg_exe()
        pictures = _VIDEO if name in _WITH_PICTURES else []
        with tempfile.TemporaryDirectory(dir=self._folder) as folder:
            result = Path(folder) / "made"
            command = [program, "-v", "error", "-i", "pipe:0", *pictures, *options]
            subprocess.run(
                [*command, "-update", "1", "-f", form, str(result)]
                if form == "image2"
                else [*command, "-f", form, str(result)],
                input=wav(self.pcm),
                check=True,
            )
            return result.read_bytes()


@cache
def spoken(name: str) -> Samples:
    """The samples of the clip called `name`, decoded in this process whatever its format is."""
    resampler = av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE)
    with av.open(str(SAMPLES / name)) as file:
        frames = [frame for whole in file.decode(audio=0) for frame in resampler.resample(whole)]
    frames += resampler.resample(None)
    return np.concatenate([frame.to_ndarray()[0] for frame in frames]).astype(np.int16)
