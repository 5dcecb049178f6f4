"""Where a key lies that is in a hardware module, as a home notes it."""

from typing import Final, Literal

from pydantic import Field, ValidationError

from contracts.errors import InvalidInput
from contracts.values import Value

KIND: Final = "saphan-hardware-key"


class HardwareReference(Value):
    """Where a key lies that is in a hardware module."""

    kind: Literal["saphan-hardware-key"] = "saphan-hardware-key"
    kid: str
    module: str = Field(min_length=1)
    """The PKCS#11 library of the module's maker."""

    token: str = Field(min_length=1)
    label: str = Field(min_length=1)


def hardware_reference(data: bytes) -> HardwareReference | None:
    """The reference in a file's bytes; none when it is something else.

    Raises:
        InvalidInput: ``setting-invalid``, when it says that it is one and is not whole.
    """
    if KIND.encode() not in data:
        return None
    try:
        return HardwareReference.model_validate_json(data)
    except ValidationError as error:
        raise InvalidInput("setting-invalid", setting="keys", why="a hardware key's reference is not whole") from error
