"""`python -m coqui_server.models`: get models into `models.path`, and see what is there."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from coqui_server.config import loading
from coqui_server.exceptions import ConfigError, ModelError, ModelUnreachable
from coqui_server.models import catalogue, runtime, store


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Exit codes: 1 if it fails, 2 for a wrong configuration."""
    options = _arguments(arguments)
    try:
        models = loading.load(options.config)[0].models.path.absolute()
        _run(options, models)
    except ConfigError as error:
        print(f"{options.config or loading.DEFAULT_FILE}: {error}", file=sys.stderr)
        return 2
    except ModelUnreachable as error:
        print(f"{error}; without a network, put it into {models} by hand", file=sys.stderr)
        return 1
    except (ModelError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _run(options: argparse.Namespace, models: Path) -> None:
    match options.command:
        case "list":
            _list(models)
        case "get":
            print(store.get(catalogue.find(options.name), models))
        case "path":
            print(store.place(options.name, models))
        case "remove":
            store.remove(options.name, models)
        case "install":
            print(runtime.install(models))


def _list(models: Path) -> None:
    print(f"in {models}: {', '.join(path.name for path in store.here(models)) or 'nothing'}")
    for engine, names in catalogue.names().items():
        print(f"for {engine}: {', '.join(names)}")
    for entry in catalogue.vosk_list():
        if entry.get("obsolete") != "true":
            print(f"for vosk: {entry['name']} ({entry['lang_text']}, {entry['size_text']})")


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m coqui_server.models", description="Models for the engines."
    )
    parser.add_argument("--config", type=Path, metavar="PATH", help="names the folder, models.path")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="what is here, and what can be had")
    get = commands.add_parser("get", help="download a model by its name or address")
    get.add_argument("name", metavar="NAME")
    for command, does in (("path", "print where a model is"), ("remove", "delete a model")):
        commands.add_parser(command, help=does).add_argument("name", metavar="NAME")
    install = commands.add_parser("install", help="get Coqui's native library, with pip")
    install.add_argument("what", choices=[runtime.NAME])
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
