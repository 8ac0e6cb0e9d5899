"""Parameters of a client's request, read by the server's own forms: what it refuses is refused."""

from __future__ import annotations

from io import BytesIO

from starlette.datastructures import FormData, UploadFile

from api.forms.parameters import TranscriptionRequest, TranslationRequest
from api.forms.read_form import Form, text_fields
from api.forms.subtitle_fields import HighlightParameters
from client.backend.request import Request
from client.remote.abilities import Abilities
from client.remote.form import form_of

_ABILITIES = Abilities(streams=True, writes_subtitles=True)


def parameters_of(request: Request) -> TranslationRequest:
    """The parameters that a server would be sent.

    Raises:
        ApiError, OptionError: the first of them that cannot be served; limits of lines as well,
            which a server is asked for when the text is there.
    """
    form = form_of(request, _ABILITIES)
    pairs: list[tuple[str, str | UploadFile]] = [
        (name, value) for name, values in form.items() for value in _each(values)
    ]
    fields = text_fields(FormData(pairs))
    kind = TranscriptionRequest if request.task == "transcribe" else TranslationRequest
    found = kind.from_form(Form(BytesIO(), fields))
    HighlightParameters.model_validate(dict(request.layout)).subtitle_options("srt")
    return found


def _each(values: str | list[str]) -> list[str]:
    return [values] if isinstance(values, str) else values
