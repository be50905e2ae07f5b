"""The parameters of a Bot API call, however they were sent: query, JSON, form or multipart."""

import json
from dataclasses import dataclass, field
from typing import Any

from starlette.datastructures import UploadFile
from starlette.requests import Request

from demo.telegram.errors import bad_request

TRUE_WORDS = {"true", "1", "yes"}


@dataclass(frozen=True)
class Upload:
    """A file that came with a call."""

    name: str
    mime_type: str
    content: bytes


@dataclass(frozen=True)
class Parameters:
    """Values by name; a form sends texts where JSON sends numbers and objects."""

    values: dict[str, Any] = field(default_factory=dict)
    files: dict[str, Upload] = field(default_factory=dict)

    def text(self, name: str, default: str = "") -> str:
        value = self.values.get(name)
        return default if value is None else str(value)

    def integer(self, name: str, default: int = 0) -> int:
        value = self.values.get(name)
        if value in (None, ""):
            return default
        try:
            return int(str(value))
        except ValueError:
            raise bad_request(f'invalid {name} specified: "{value}" is not an integer') from None

    def flag(self, name: str) -> bool:
        return str(self.values.get(name, "")).lower() in TRUE_WORDS

    def nested(self, name: str) -> Any:
        """Return an object or a list, decoded from JSON where it came as text."""
        value = self.values.get(name)
        if not isinstance(value, str) or not value:
            return value or None
        try:
            return json.loads(value)
        except ValueError:
            raise bad_request(f"can't parse {name} JSON object") from None

    def listed(self, name: str) -> list[Any] | None:
        """Return a list, or None where there is none."""
        value = self.nested(name)
        if value is not None and not isinstance(value, list):
            raise bad_request(f"can't parse {name}: expected an Array")
        return value if name in self.values else None

    def file(self, name: str) -> Upload | None:
        """Return the file of a field, also where the field points to it with attach://."""
        return self.files.get(self.text(name).removeprefix("attach://") or name)


async def read_parameters(request: Request) -> Parameters:
    """Return the parameters of one call."""
    values: dict[str, Any] = dict(request.query_params)
    content_type = request.headers.get("content-type", "")
    if content_type.startswith("application/json"):
        return Parameters(values | _json_object(await request.body()))
    files = {}
    async with request.form() as form:
        for name, value in form.multi_items():
            if isinstance(value, UploadFile):
                files[name] = await _read(value)
            else:
                values[name] = value
    return Parameters(values, files)


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        values = json.loads(body or b"{}")
    except ValueError:
        values = None
    if not isinstance(values, dict):
        raise bad_request("can't parse JSON object")
    return values


async def _read(file: UploadFile) -> Upload:
    mime_type = file.content_type or "application/octet-stream"
    return Upload(file.filename or "file", mime_type, await file.read())
