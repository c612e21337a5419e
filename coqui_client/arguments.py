"""The command's arguments, and which of them go together."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from websockets.exceptions import InvalidURI
from websockets.uri import parse_uri

from coqui_client import call
from coqui_client.connection import API_PATH
from coqui_client.formats import EXTENSIONS
from coqui_client.live_protocols import LIVE_PROTOCOLS
from coqui_client.retry import RETRIES
from coqui_transcript import __version__

DEFAULT_URL = f"ws://127.0.0.1:5004{API_PATH}"

FILE, JSON, NATIVE = "file", "json", "native"
CHANNELS = ("auto", "mix", "split")
PROTOCOLS = (NATIVE, "vosk", JSON, FILE)


def parser() -> argparse.ArgumentParser:
    """The arguments one by one; `parsed` checks them together."""
    parser = argparse.ArgumentParser(
        description="Send audio or video files, or the sound of a microphone, to the daemon and "
        "write the transcripts.",
        epilog="Exit codes: 0 all transcribed, 1 a file failed, 2 usage, 3 no server answers.",
    )
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="audio or video")
    parser.add_argument(
        "--url", type=_url, default=DEFAULT_URL, help=f"of the daemon, ws or wss ({DEFAULT_URL})"
    )
    parser.add_argument("--version", action="version", version=f"coqui_client {__version__}")
    _add_modes(parser)
    _add_wishes(parser)
    _add_outputs(parser)
    parser.add_argument(
        "--retries",
        type=_count,
        default=RETRIES,
        metavar="N",
        help=f"times to try again, ever more slowly, while the daemon is busy ({RETRIES})",
    )
    return parser


def _add_wishes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--channels",
        choices=CHANNELS,
        help="what becomes of the channels of each FILE: auto (each by itself where they have "
        "different people), mix (all together) or split (each by itself); the daemon's setting, "
        "usually auto, without it",
    )
    parser.add_argument(
        "--speakers",
        metavar="off|auto|N",
        help="whether people on one channel are told apart: off, auto, or their number; the "
        "daemon's setting, usually off, without it",
    )
    parser.add_argument(
        "--terms",
        metavar="LIST",
        help='names and terms to favour, with commas between them: "Ana Roe,Vevay"',
    )
    parser.add_argument(
        "--verbatim",
        action="store_const",
        const="verbatim",
        help="the engine's own text, instead of numbers, dates and the like as people write them",
    )


def parsed(parser: argparse.ArgumentParser, arguments: Sequence[str] | None) -> argparse.Namespace:
    """The options, with `protocol` filled in (None with --rtp) and `live` true with --mic.

    Raises:
        SystemExit: 2 for wrong usage, 0 for --help and --version.
    """
    options = parser.parse_args(arguments)
    options.live = options.live or options.mic is not None
    if problem := _problem(options):
        parser.error(problem)
    if options.protocol is None and options.rtp is None:
        options.protocol = NATIVE if options.live else FILE
    return options


def _problem(options: argparse.Namespace) -> str | None:
    """What is wrong with the combination of arguments, if anything."""
    if options.mic is None and not options.files:
        return "the following arguments are required: FILE, or --mic"
    if options.mic is not None and options.files:
        return "argument --mic: not allowed with FILE"
    if options.mic == "" and sys.platform == "win32":
        listing = "ffmpeg -f dshow -list_devices true -i dummy"
        return f"argument --mic: needs a NAME on Windows; `{listing}` lists them"
    if options.channels is not None and (options.live or options.rtp is not None):
        return "argument --channels: only for whole files, without --live, --mic and --rtp"
    if options.rtp is not None:
        for name in ("speakers", "terms", "verbatim"):
            if getattr(options, name) is not None:
                return f"argument --{name}: not allowed with argument --rtp"
    return _protocol_problem(options.protocol, options)


def _protocol_problem(protocol: str | None, options: argparse.Namespace) -> str | None:
    if protocol is None:
        return None
    if options.rtp is not None:
        return "argument --protocol: not allowed with argument --rtp"
    if options.live and protocol not in LIVE_PROTOCOLS:
        return f"argument --protocol: {protocol} is for whole files, without --live and --mic"
    if not options.live and protocol not in (FILE, JSON):
        return f"argument --protocol: {protocol} needs --live or --mic"
    return None


def _add_modes(parser: argparse.ArgumentParser) -> None:
    modes = parser.add_mutually_exclusive_group()
    modes.add_argument(
        "--rtp",
        type=_rtp,
        metavar="HOST[:PORT]",
        help="send each FILE at real pace as a telephone call over RTP, one after the other, and "
        f"write the daemon's transcript (port {call.PORT})",
    )
    modes.add_argument(
        "--live",
        action="store_true",
        help="send each FILE at real pace, and show the text as it comes",
    )
    modes.add_argument(
        "--mic",
        nargs="?",
        const="",
        metavar="NAME",
        help="the same with a microphone, the system's default or NAME, until Ctrl-C",
    )
    parser.add_argument(
        "--protocol",
        choices=PROTOCOLS,
        help="how to speak to the daemon: file (the default) sends a file whole, native (the "
        "default with --live and --mic) and vosk are live, json can do both",
    )


def _add_outputs(parser: argparse.ArgumentParser) -> None:
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
