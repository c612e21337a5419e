"""Every setting with its default, its purpose and what is allowed, read from the settings.

The configuration page of the documentation and the `application.conf` that is shipped are written
from this, so neither can say what the daemon does not do. The purpose of a setting is the
docstring below its field; what is allowed is the field's description, as in error messages.
"""

import ast
import inspect
import json
import re
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from coqui_server.config import units
from coqui_server.config.settings import Settings

_MACHINE = {"server.threadpool.count": "the number of cores"}
"""Defaults that differ from machine to machine, in words."""

_TIMES = {"days": 86400.0, "hours": 3600.0, "minutes": 60.0, "s": 1.0, "ms": 0.001}
_SIZES = {"GB": 10**9, "MB": 10**6, "GiB": 2**30, "MiB": 2**20, "B": 1}

_HEAD = """\
# The configuration of coqui_server, in HOCON. Lines that begin with "#" and a key show defaults:
# remove the "#" to change one. Values may come from the environment, and files may be included.

server.http.port = ${?COQUI_SERVER_PORT}
"""


@dataclass(frozen=True)
class Setting:
    """One key of `application.conf`.

    Attributes:
        key: with dots, such as `server.http.port`.
        default: in HOCON, such as `"2 GB"`; for a value that depends on the machine, words.
        purpose: what it does.
        allowed: which values it takes.
    """

    key: str
    default: str
    purpose: str
    allowed: str

    @property
    def section(self) -> str:
        """The first part of the key."""
        return self.key.partition(".")[0]


def settings() -> Iterator[Setting]:
    """Every setting, in the order of the file."""
    yield from _inside(Settings, Settings(), "")


def _inside(section: type[BaseModel], values: BaseModel, prefix: str) -> Iterator[Setting]:
    purposes = _purposes(section)
    for name, field in section.model_fields.items():
        key, value = prefix + name, getattr(values, name)
        if isinstance(value, BaseModel):
            yield from _inside(type(value), value, f"{key}.")
        else:
            default = _MACHINE.get(key) or _hocon(value, field)
            yield Setting(key, default, purposes.get(name, ""), field.description or "")


def file() -> str:
    """An `application.conf` with every setting, all of them commented out."""
    parts = [_HEAD]
    for _, group in groupby(settings(), lambda setting: setting.section):
        parts += ["\n".join(_lines(setting)) for setting in group]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _lines(setting: Setting) -> Iterator[str]:
    said = f"{setting.purpose} Allowed: {setting.allowed}."
    yield from textwrap.wrap(
        said, 100, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False
    )
    yield f"#{setting.key} = {setting.default}"


def _hocon(value: Any, field: FieldInfo) -> str:
    """A default as the file would say it."""
    converters = [getattr(entry, "func", None) for entry in field.metadata]
    if variable := re.search(r"\$(\w+)", field.description or ""):
        return f"${{?{variable[1]}}}"
    if value is None:
        return "null"
    if units.seconds in converters:
        return _quantity(value, _TIMES)
    if units.size in converters:
        return f'"{_quantity(value, _SIZES)}"'
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, dict):
        return json.dumps(value)
    if isinstance(value, tuple):
        if Ellipsis not in get_args(field.annotation):
            return json.dumps("-".join(map(str, value)))
        return f"[{', '.join(_text(entry) for entry in value)}]"
    return _text(value)


def _text(value: Any) -> str:
    """A string, with quotes if HOCON needs them."""
    text = json.dumps(value) if isinstance(value, bool) else str(value)
    return text if re.fullmatch(r"[\w.-]+", text) else json.dumps(text)


def _quantity(value: float, sizes: Mapping[str, float]) -> str:
    """An amount in the largest unit of which it is a whole number; not "1 minutes"."""
    for unit, size in sizes.items():
        amount = round(value / size, 6)
        if amount % 1 == 0 and (amount > 1 or size == 1):
            return f"{amount:g} {unit}"
    return f"{value:g}"


@cache
def _purposes(section: type[BaseModel]) -> dict[str, str]:
    """The docstrings of a section's fields, with those it inherits."""
    if section is BaseModel:
        return {}
    inherited = _purposes(section.__bases__[0])
    body = ast.parse(textwrap.dedent(inspect.getsource(section))).body[0]
    assert isinstance(body, ast.ClassDef)
    own = {
        field.target.id: " ".join(text.value.value.split())
        for field, text in zip(body.body, body.body[1:], strict=False)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
        and isinstance(text.value.value, str)
    }
    return inherited | own
