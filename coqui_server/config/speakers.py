"""Whether the speakers of one channel are told apart."""

from typing import Annotated, Literal

from pydantic import Field

MOST = 20
"""People who can be told apart in one session."""

Speakers = Literal["off", "auto"] | Annotated[int, Field(ge=1, le=MOST)]
"""Not at all, as many as are heard, or so many."""
