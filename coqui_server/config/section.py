"""The base of all sections of the settings, and the types of their values."""

from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    SecretStr,
    ValidationInfo,
    field_validator,
)

from coqui_server.config import units

Duration = Annotated[float, BeforeValidator(units.seconds)]
Size = Annotated[int | None, BeforeValidator(units.size)]
Key = Annotated[SecretStr, BeforeValidator(str)] | None

ADDRESS = r"^https?://[^\s/]+"
"""The pattern of an http or https address."""


def _parts(value: Any) -> Any:
    return [part.strip() for part in value.split(",")] if isinstance(value, str) else value


Listed = BeforeValidator(_parts)
"""Takes "a, b" for ["a", "b"], since a variable of the environment cannot be a list. For lists of
which no entry has a comma in it."""


def unquoted(value: Any) -> Any:
    """The dict without the quotes that the HOCON parser leaves around quoted keys."""
    return {key.strip('"'): entry for key, entry in value.items()} if type(value) is dict else value


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _no_truth_value_is_a_number(cls, value: Any, info: ValidationInfo) -> Any:
        expected = cls.model_fields[info.field_name].annotation if info.field_name else None
        if isinstance(value, bool) and expected is not bool:
            raise ValueError(value)
        return value
