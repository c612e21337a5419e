"""The command: arguments, one line per failure, exit codes.

Exit codes: 0 every file was transcribed, 1 at least one failed, 2 wrong usage, 3 no server
answers, 130 interrupted with Ctrl-C (128 + SIGINT, as shells count). With --mic the first Ctrl-C
ends the recording, with exit code 0.
"""

import argparse
import asyncio
import io
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from coqui_client import arguments as usage
from coqui_client import call, live, upload
from coqui_client.captions import Captions
from coqui_client.connection import asking, events_url, located
from coqui_client.exceptions import ClientError, UnreachableError
from coqui_client.file_protocols import BINARY, JSON, JSON_PATH
from coqui_client.live_protocols import LIVE_PROTOCOLS
from coqui_client.outputs import Folder, StandardOutput
from coqui_client.progress import Progress
from coqui_client.reply import Reply
from coqui_client.retry import retried

START_COMMAND = "python -m coqui_server.app"
MICROPHONE = Path("microphone")
"""Used as the file name with --mic."""

DONE, FAILED, USAGE, NO_SERVER, INTERRUPTED = 0, 1, 2, 3, 130

Output = StandardOutput | Folder | Captions


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with `arguments` (the process's own if None); the exit code.

    Raises:
        SystemExit: 2 for wrong usage, 0 for --help, from argparse.
    """
    parser = usage.parser()
    options = usage.parsed(parser, arguments)
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


async def _run(options: argparse.Namespace, output: Output, prog: str) -> int:
    code = DONE
    for index, path in enumerate(_paths(options)):
        try:
            reply = await _transcribe(path, options, output)
            output.write(index, path, reply)
        except (UnreachableError, BrokenPipeError):
            raise
        except (ClientError, OSError) as failure:
            _say(prog, f"{path}: {_line(failure)}")
            code = FAILED
        else:
            for warning in reply.transcript.warnings:
                _say(prog, f"{path}: warning: {' '.join(warning.message.split())}")
            if gaps := _gaps(reply):
                _say(prog, f"{path}: {gaps}")
                code = FAILED
    return code


async def _transcribe(path: Path, options: argparse.Namespace, output: Output) -> Reply:
    progress = Progress(path.name, visible=sys.stderr.isatty())
    url, retries = _address(options), options.retries
    try:
        if options.rtp is not None:
            return await call.transcribe(path, options.rtp, url, progress)
        if options.live:
            return await _listen(path, options, output, progress)
        protocol = BINARY if options.protocol == usage.FILE else JSON
        return await upload.transcribe(path, url, progress, retries, protocol)
    finally:
        progress.close()


async def _listen(
    path: Path, options: argparse.Namespace, output: Output, progress: Progress
) -> Reply:
    source = live.of_file(path) if options.mic is None else live.of_microphone(options.mic)
    protocol, url = LIVE_PROTOCOLS[options.protocol], _address(options)
    if not isinstance(output, Captions):
        return await retried(
            lambda: live.transcribe(source, url, protocol, progress), progress, options.retries
        )
    output.begin(path)
    try:
        return await retried(
            lambda: live.transcribe(source, url, protocol, output), progress, options.retries
        )
    finally:
        output.close()


def _address(options: argparse.Namespace) -> str:
    """The URL of the WebSocket that gives the transcripts."""
    if options.rtp is not None:
        return events_url(options.url)
    url = asking(
        options.url,
        channels=options.channels,
        speakers=options.speakers,
        terms=options.terms,
        format=options.verbatim,
    )
    if options.live:
        return located(url, LIVE_PROTOCOLS[options.protocol].path)
    return url if options.protocol == usage.FILE else located(url, JSON_PATH)


def _paths(options: argparse.Namespace) -> list[Path]:
    return [MICROPHONE] if options.mic is not None else options.files


def _output(options: argparse.Namespace) -> Output:
    paths = _paths(options)
    if options.output is not None:
        return Folder(options.output, options.format, paths)
    if options.live and options.format == "text":
        return Captions(several=len(paths) > 1)
    return StandardOutput(options.format, several=len(paths) > 1)


def _gaps(reply: Reply) -> str | None:
    """Why the transcript may be incomplete, if it may."""
    if missed := reply.fields.get("missed"):
        return f"{missed} events were missed; there may be gaps"
    return reply.fields.get("incomplete")


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
    # websockets logs errors that the client already prints in one line.
    logging.getLogger("websockets").addHandler(logging.NullHandler())


def _forget_stdout() -> int:
    """The reader of the pipe is gone: give the interpreter's last flush a place to write to."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return FAILED
