"""What the sections of the settings are made of: their base, and values that several have."""

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
"""The pattern of an address that can be asked."""


def unquoted(value: Any) -> Any:
    """HOCON's quoted keys without the quotes, which its parser leaves on."""
    return {key.strip('"'): entry for key, entry in value.items()} if type(value) is dict else value


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _no_truth_value_is_a_number(cls, value: Any, info: ValidationInfo) -> Any:
        wanted = cls.model_fields[info.field_name].annotation if info.field_name else None
        if isinstance(value, bool) and wanted is not bool:
            raise ValueError(value)
        return value
