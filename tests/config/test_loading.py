"""`coqui_server.config.loading` and `coqui_server.config.loading.settings` on real files."""

import os
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from dateutil.relativedelta import relativedelta

from coqui_server.config.loading import load
from coqui_server.config.settings import Settings
from coqui_server.exceptions import ConfigError

Read = Callable[..., Settings]

SHIPPED = Path(__file__).resolve().parents[2] / "application.conf"

OLDER = """
audio { frame_duration = 30, sample_rate = 16000 }
coqui { model = /models/huge.tflite, scorer = "words.scorer" }
server {
  http { host = "0.0.0.0", port = 8080 }
  threadpool.count = 3
  websocket.max_size = 2e25
}
vad { padding = 300, ratio = 0.75 }
"""


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Writes a text to a file and loads it."""

    def read(text: str, name: str = "application.conf") -> Settings:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        settings, source = load(path)
        assert source == str(path)
        return settings

    return read


def test_every_key_of_the_older_server_keeps_its_meaning(read: Read, tmp_path: Path) -> None:
    """A whole file of the older server is understood, units and all."""
    settings = read(OLDER)
    assert settings.audio.frame_duration == 0.03
    assert settings.audio.sample_rate == 16000
    assert settings.coqui.model == Path("/models/huge.tflite")
    assert settings.coqui.scorer == tmp_path / "words.scorer"
    assert (settings.server.http.host, settings.server.http.port) == ("0.0.0.0", 8080)
    assert settings.server.threadpool.count == 3
    assert settings.server.websocket.max_size is None
    assert settings.server.websocket.frame_limit is None
    assert (settings.vad.padding, settings.vad.ratio) == (0.3, 0.75)


@pytest.mark.parametrize(
    ("text", "engine"),
    [
        (OLDER, "coqui"),
        ("coqui.model = model.tflite", "coqui"),
        ("coqui.model = model.tflite, engine = moonshine", "moonshine"),
        ("coqui.model = model.tflite, engine = vosk", "vosk"),
        ("coqui.model = model.tflite, engines.enabled = [coqui]", "moonshine"),
        ('coqui.scorer = "words.scorer"', "moonshine"),
    ],
)
def test_a_model_of_coqui_chooses_its_engine_unless_the_file_does(
    read: Read, text: str, engine: str
) -> None:
    """Files of the older server name a model and no engine."""
    assert read(text).engine == engine


@pytest.mark.parametrize("live", [False, True])
def test_the_old_vad_keys_set_both_ends_unless_silence_is_given(read: Read, live: bool) -> None:
    """`padding` alone closes as the older server did; naming `silence` separates the ends."""
    silence = 0.5 if live else 1.2
    assert read(OLDER).vad.closing(live=live) == (0.3, 0.75)
    assert read("vad.ratio = 0.75").vad.closing(live=live) == (silence, 0.9)
    assert read("vad { padding = 300, silence = 700 ms }").vad.closing(live=live) == (0.7, 0.9)


@pytest.mark.parametrize("dateutil", [False, True])
def test_durations_with_and_without_dateutil(
    read: Read, monkeypatch: pytest.MonkeyPatch, dateutil: bool
) -> None:
    """pyhocon gives another type where dateutil is installed, as other packages may have it."""
    kind = relativedelta if dateutil else timedelta
    monkeypatch.setattr("pyhocon.period_parser.period_impl", kind)
    monkeypatch.setattr("coqui_server.config.units.period_impl", kind)
    assert read("partials.pace = 1 minute").partials.pace == 60
    assert read("server.idle = 2 hours").server.idle == 7200
    assert read("vad.padding = 300 ms").vad.padding == 0.3
    if dateutil:
        with pytest.raises(ConfigError, match=r"server\.idle: found"):
            read("server.idle = 1 month")


def test_silence_is_one_duration_or_one_for_each_source(read: Read) -> None:
    """A bare duration counts for files and live sound; in a section, what is left out stands."""
    both = read("vad.silence = 600 ms").vad.silence
    assert (both.file, both.live) == (0.6, 0.6)
    one = read("vad.silence { live = 300 ms }").vad.silence
    assert (one.file, one.live) == (1.2, 0.3)


def test_a_frame_limit_that_is_set_stands_when_messages_have_none(read: Read) -> None:
    """`max_frame` is lifted by an unlimited `max_size` only if it is not set itself."""
    limited = read('server.websocket { max_size = 2e25, max_frame = "1 MiB" }').server.websocket
    assert limited.max_size is None
    assert limited.frame_limit == 2**20
    assert read("").server.websocket.frame_limit == 64 * 2**20


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("2500", 2.5),
        ("2500 ms", 2.5),
        ('"2500 ms"', 2.5),
        ("2500 milliseconds", 2.5),
        ('"2500 milliseconds"', 2.5),
        ("2.5 s", 2.5),
        ('"2.5s"', 2.5),
        ('"1 second"', 1.0),
        ("90 seconds", 90.0),
        ("2 m", 120.0),
        ('"2 minutes"', 120.0),
        ("1 hour", 3600.0),
        ('"12 hours"', 43200.0),
        ('"12 h"', 43200.0),
        ("1 d", 86400.0),
        ('"2 days"', 172800.0),
        ('"2500 millis"', 2.5),
        ('"2500000 us"', 2.5),
    ],
)
def test_durations(read: Read, written: str, seconds: float) -> None:
    """Durations take HOCON's units, quoted or not; bare numbers are milliseconds."""
    assert read(f"server.idle = {written}").server.idle == pytest.approx(seconds)


def test_a_month_is_no_duration(read: Read) -> None:
    """Its length is not fixed. pyhocon knows the word if python-dateutil is installed."""
    with pytest.raises(ConfigError, match=r"auth\.age: found .*month"):
        read("auth.age = 2 months")


@pytest.mark.parametrize(
    ("written", "size"),
    [
        ("1000", 1000),
        ("512 B", 512),
        ("1 kB", 1000),
        ("1 K", 1024),
        ("64 MiB", 64 * 2**20),
        ("64M", 64 * 2**20),
        ('"2 GB"', 2_000_000_000),
        ("1.5 GiB", 3 * 2**29),
        ("1 TB", 10**12),
        ("2e25", None),
        ('"20 EB"', None),
        ("null", None),
        ("10 bytes", 10),
        ("2 megabytes", 2_000_000),
        ("2 mebibytes", 2 * 2**20),
    ],
)
def test_sizes(read: Read, written: str, size: int | None) -> None:
    """Sizes take HOCON's units, of ten and of two; bare numbers are bytes; 2e25 is no limit."""
    assert read(f"server.websocket.max_size = {written}").server.websocket.max_size == size


def test_an_included_file_counts_and_may_be_overridden(read: Read, tmp_path: Path) -> None:
    """What a file says after an `include` wins over what is included."""
    (tmp_path / "base.conf").write_text("engine = vosk\nserver.http.port = 1", encoding="utf-8")
    settings = read('include "base.conf"\nserver.http.port = 2')
    assert settings.engine == "vosk"
    assert settings.server.http.port == 2


def test_the_environment_overrides_when_it_is_set(
    read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`${?NAME}` is the variable's value, or nothing at all when there is none."""
    text = "server.http.port = 7000\nserver.http.port = ${?COQUI_TEST_PORT}"
    monkeypatch.delenv("COQUI_TEST_PORT", raising=False)
    assert read(text).server.http.port == 7000
    monkeypatch.setenv("COQUI_TEST_PORT", "7001")
    assert read(text).server.http.port == 7001
    monkeypatch.setenv("COQUI_TEST_PORT", "high")
    with pytest.raises(ConfigError, match=r'^server\.http\.port: found "high", allowed: a port'):
        read(text)


def test_a_list_may_be_a_string_with_commas(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a variable of the environment is; each entry is checked as in a list."""
    monkeypatch.setenv("COQUI_TEST_LIST", "10.1.0.0/16, 10.2.0.1")
    allowed = read("rtp.allow = ${?COQUI_TEST_LIST}").rtp.allow
    assert [str(network) for network in allowed] == ["10.1.0.0/16", "10.2.0.1/32"]
    monkeypatch.setenv("COQUI_TEST_LIST", "10.1.0.0/16,")
    with pytest.raises(ConfigError, match=r'^rtp\.allow: found ""'):
        read("rtp.allow = ${?COQUI_TEST_LIST}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("engin = vosk", "engin: unknown key; did you mean engine?"),
        ("vad.paddin = 300", "vad.paddin: unknown key; did you mean vad.padding?"),
        ("server.htp.port = 1", "server.htp: unknown key; did you mean server.http?"),
        ("server.websocket.maxsize = 1", "did you mean server.websocket.max_size?"),
        ("coqui.scorrer = x", "coqui.scorrer: unknown key; did you mean coqui.scorer?"),
        ("zzzzzz = 1", "zzzzzz: unknown key; allowed: engine, engines, "),
    ],
)
def test_an_unknown_key_names_the_nearest_known(read: Read, text: str, message: str) -> None:
    """A slip of the pen is answered with the key that was meant."""
    with pytest.raises(ConfigError) as caught:
        read(text)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("key", "written", "found", "allowed"),
    [
        ("engine", "parrot", '"parrot"', "moonshine, vosk, coqui, whisper, openai"),
        ("audio.sample_rate", "8000", "8000", "16000"),
        ("audio.frame_duration", "25", "25", "10 ms, 20 ms or 30 ms"),
        ("audio.max_duration", "0", "0.0", "more than 0"),
        ("level.target", "loud", '"loud"', "dBFS, -60 to -6"),
        ("level.max_gain", "61", "61", "0 (off) to 60"),
        ("vad.mode", "4", "4", "webrtcvad's mode, 0 to 3"),
        ("vad.padding", "5 apples", '"5 apples"', '"30 ms" to "5 s"'),
        ("vad.ratio", "1", "1", "0 to below 1"),
        ("vad.silence.live", "quiet", '"quiet"', '"100 ms" to "10 s"'),
        ("vosk.alternatives", "1.5", "1.5", "0 to 20"),
        ("vosk.phrases", "yes", '"yes"', "a list of phrases"),
        ("vosk.phrases", "[1]", "1", "a list of phrases"),
        ("server", "5", "5", "a section"),
        ("server.http.host", '""', '""', "an address of this machine"),
        ("server.http.port", "65536", "65536", "1 to 65535"),
        ("server.http.port", "{ a = 1 }", "a section", "1 to 65535"),
        ("server.http.port", "true", "True", "1 to 65535"),
        ("vad.mode", "true", "True", "webrtcvad's mode, 0 to 3"),
        ("server.idle", "true", "True", "a duration"),
        ("server.idle", "inf", '"inf"', "a duration"),
        ("server.threadpool.count", "0", "0", "1 to 1024"),
        ("server.websocket.max_size", "-1", "-1", 'such as "2 GB"'),
        ("server.websocket.max_frame", "big", '"big"', 'such as "64 MiB"'),
        ("server.max_sessions", "0", "0", "at least 1"),
        ("coqui.model", "5", "5", "a .tflite file"),
        ("log.level", "debug", '"debug"', "DEBUG, INFO, WARNING or ERROR"),
    ],
)
def test_a_wrong_value_is_named(
    read: Read, key: str, written: str, found: str, allowed: str
) -> None:
    """A wrong type or range names the key, what was found, and what may be."""
    with pytest.raises(ConfigError) as caught:
        read(f"{key} = {written}")
    assert caught.value.key == key
    head, _, tail = str(caught.value).partition(", allowed: ")
    assert head == f"{key}: found {found}"
    assert allowed in tail


def test_a_wrong_duration_is_shown_as_a_person_writes_it(read: Read) -> None:
    """What was found is told in words of the file, not in those of Python."""
    with pytest.raises(ConfigError) as caught:
        read("audio.frame_duration = 25 ms")
    assert caught.value.key == "audio.frame_duration"
    assert "25" in caught.value.problem
    assert "timedelta" not in caught.value.problem


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("server {", "not valid HOCON"),
        ("server { http { port = 1 }", "not valid HOCON"),
        ("vosk.model = ${NOWHERE_TO_BE_FOUND}", "NOWHERE_TO_BE_FOUND"),
        ('include required("absent.conf")', "no such file"),
        ("[1, 2]", "not valid HOCON"),
        ('include "application.conf"', ""),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_in_one_line(
    read: Read, text: str, message: str
) -> None:
    """Broken HOCON, a missing include, a list, a file that includes itself: one line each."""
    with pytest.raises(ConfigError) as caught:
        read(text)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_and_a_folder_are_refused_in_one_line(tmp_path: Path) -> None:
    """The message names what could not be read."""
    for path in (tmp_path / "absent.conf", tmp_path):
        with pytest.raises(ConfigError) as caught:
            load(path)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)


def test_relative_paths_start_at_the_file(read: Read, tmp_path: Path) -> None:
    """Paths are taken from the file's folder, not the working directory; absolute ones stay."""
    settings = read("models.path = m\nmoonshine.model = a/b\nffmpeg.path = /opt/ffmpeg\n")
    assert settings.models.path == tmp_path / "m"
    assert settings.moonshine.model == tmp_path / "a" / "b"
    assert settings.ffmpeg.path == Path("/opt/ffmpeg")
    assert settings.coqui.model is None
    assert read("").models.path == tmp_path / "models"


def test_without_a_file_the_working_directory_or_the_defaults_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`application.conf` of the working directory is read if it is there."""
    monkeypatch.chdir(tmp_path)
    assert load(None) == (Settings(), "the built-in defaults")
    (tmp_path / "application.conf").write_text("engine = vosk", encoding="utf-8")
    settings, source = load(None)
    assert (settings.engine, source) == ("vosk", "application.conf")


def test_the_shipped_file_says_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    """`application.conf` as shipped changes nothing but the folder that paths start from."""
    monkeypatch.delenv("COQUI_SERVER_PORT", raising=False)
    shipped = load(SHIPPED)[0].model_dump()
    defaults = Settings().model_dump()
    for section, folder in (("models", "models"), ("store", "data")):
        assert shipped[section].pop("path") == SHIPPED.parent / folder
        assert defaults[section].pop("path") == Path(folder)
    assert shipped == defaults
    monkeypatch.setenv("COQUI_SERVER_PORT", "5005")
    assert load(SHIPPED)[0].server.http.port == 5005


def test_what_the_shipped_file_has_commented_out_is_the_default(
    read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Uncommenting every setting of the shipped file gives the values that stood anyway."""
    monkeypatch.delenv("COQUI_SERVER_PORT", raising=False)
    lines = SHIPPED.read_text(encoding="utf-8").splitlines()
    told = [re.sub(r"^#(?=[a-z])", "", line) for line in lines if "threadpool.count" not in line]
    assert sum(line[:1].isalpha() for line in told) > 100
    full, defaults = read("\n".join(told)).model_dump(), Settings().model_dump()
    for section in ("models", "store"):
        assert full[section].pop("path") != defaults[section].pop("path")
    assert full == defaults


def test_decoder_threads_are_as_many_as_cores() -> None:
    """The one default that depends on the machine."""
    assert Settings().server.threadpool.count == (os.cpu_count() or 1)
