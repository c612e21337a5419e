"""The command: arguments, one line per failure, exit codes.

Exit codes: 0 every file was transcribed, 1 at least one failed, 2 wrong usage, 3 no server
answers, 130 interrupted with Ctrl-C (128 + SIGINT, as shells count).
"""

import argparse
import asyncio
import io
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from websockets.exceptions import InvalidURI
from websockets.uri import parse_uri

from coqui_client import call, upload
from coqui_client.connection import API_PATH, events_url
from coqui_client.exceptions import ClientError, UnreachableError
from coqui_client.formats import EXTENSIONS
from coqui_client.outputs import Folder, StandardOutput
from coqui_client.patience import RETRIES
from coqui_client.progress import Progress
from coqui_client.transcript import Transcript

DEFAULT_URL = f"ws://127.0.0.1:5004{API_PATH}"
START_COMMAND = "python -m coqui_server.app"

DONE, FAILED, USAGE, NO_SERVER, INTERRUPTED = 0, 1, 2, 3, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with `arguments` (the process's own if None); the exit code.

    Raises:
        SystemExit: 2 for wrong usage, 0 for --help, from argparse.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    _prepare_streams()
    try:
        output = _output(options)
    except OSError as failure:
        parser.error(f"argument -o/--output: {options.output}: {failure.strerror}")
    try:
        return asyncio.run(_run(options, output, parser.prog))
    except UnreachableError as reason:
        _say(parser.prog, _no_server(_address(options), reason))
        return NO_SERVER
    except KeyboardInterrupt:
        _say(parser.prog, "interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        return _forget_stdout()


async def _run(options: argparse.Namespace, output: StandardOutput | Folder, prog: str) -> int:
    code = DONE
    for index, path in enumerate(options.files):
        try:
            transcript = await _transcribe(path, options)
            output.write(index, path, transcript)
        except (UnreachableError, BrokenPipeError):
            raise
        except (ClientError, OSError) as failure:
            _say(prog, f"{path}: {_line(failure)}")
            code = FAILED
        else:
            if missed := transcript.reply.get("missed"):
                _say(prog, f"{path}: {missed} events were missed; there may be gaps")
                code = FAILED
    return code


async def _transcribe(path: Path, options: argparse.Namespace) -> Transcript:
    progress = Progress(path.name, visible=sys.stderr.isatty())
    try:
        if options.rtp is not None:
            return await call.transcribe(path, options.rtp, _address(options), progress)
        return await upload.transcribe(path, options.url, progress, options.retries)
    finally:
        progress.close()


def _address(options: argparse.Namespace) -> str:
    """Of the WebSocket that gives the transcripts."""
    url: str = options.url
    return url if options.rtp is None else events_url(url)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description="Send audio or video files to the daemon and write their transcripts.",
        epilog="Exit codes: 0 all transcribed, 1 a file failed, 2 usage, 3 no server answers.",
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="audio or video")
    parser.add_argument(
        "--url", type=_url, default=DEFAULT_URL, help=f"of the daemon, ws or wss ({DEFAULT_URL})"
    )
    parser.add_argument(
        "--rtp",
        type=_rtp,
        metavar="HOST[:PORT]",
        help="send each FILE at real pace as a telephone call over RTP, one after the other, and "
        f"write what the daemon at --url hears of it (port {call.PORT})",
    )
    parser.add_argument(
        "--format",
        choices=list(EXTENSIONS),
        default="text",
        help="text (default), json (the daemon's whole reply), srt, vtt, or tsv (start and end in "
        "milliseconds, text)",
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="DIR",
        help="write DIR/<name>.<ext> for each FILE; without it all go to standard output, several "
        "with a line '== name ==' before each, or as one JSON object per line",
    )
    parser.add_argument(
        "--retries",
        type=_count,
        default=RETRIES,
        metavar="N",
        help=f"times to try again, ever more slowly, while the daemon is busy ({RETRIES})",
    )
    return parser


def _url(text: str) -> str:
    try:
        parts = urlsplit(text)
        url = parts._replace(path=parts.path.rstrip("/") or API_PATH).geturl()
        parse_uri(url)
    except (InvalidURI, ValueError) as wrong:
        raise argparse.ArgumentTypeError(
            f"'{text}' is not like ws://host:port or wss://host:port/path ({wrong})"
        ) from wrong
    return url


def _rtp(text: str) -> call.Address:
    try:
        parts = urlsplit(f"//{text}")
        port = call.PORT if parts.port is None else parts.port
        if not parts.hostname or parts.netloc != text or "@" in text or port == 0:
            raise ValueError("a host, and a port from 1")
    except ValueError as wrong:
        raise argparse.ArgumentTypeError(
            f"'{text}' is not like host, host:port or [address]:port ({wrong})"
        ) from wrong
    return call.Address(parts.hostname, port)


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"'{text}' is not a number from 0")
    return int(text)


def _output(options: argparse.Namespace) -> StandardOutput | Folder:
    if options.output is None:
        return StandardOutput(options.format, several=len(options.files) > 1)
    return Folder(options.output, options.format, options.files)


def _line(failure: ClientError | OSError) -> str:
    """An error as one line; the name of the file is printed before it already."""
    text = failure.strerror if isinstance(failure, OSError) else None
    return text or str(failure)


def _no_server(url: str, reason: UnreachableError) -> str:
    return f"no server answers at {url} ({reason}); start the daemon with: {START_COMMAND}"


def _say(prog: str, line: str) -> None:
    print(f"{prog}: {line}", file=sys.stderr)


def _prepare_streams() -> None:
    # Transcripts are in any language; a pipe on Windows would take Latin letters only.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
    # websockets logs what the client already says in one line.
    logging.getLogger("websockets").addHandler(logging.NullHandler())


def _forget_stdout() -> int:
    """The reader of the pipe is gone: let the interpreter's last flush fail on nothing."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return FAILED
