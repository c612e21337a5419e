"""When each word of a text was said, for engines that do not tell.

The text is aligned with its sound by PocketSphinx (CMU, BSD licence) and the English model and
dictionary inside its package. Its Python binding holds the interpreter's lock while it searches,
and its C code ends the process on some errors, so it runs in processes of its own: `sphinx` and
what it needs are imported only there.
"""

from importlib.util import find_spec

LANGUAGE = "en"
"""The language of the model and of the rules for spelling and numbers."""


def available() -> bool:
    """Whether PocketSphinx is installed."""
    return find_spec("pocketsphinx") is not None
