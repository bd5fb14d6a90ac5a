"""What people say of items without a rating, by forms: seen, later, not for me, not seen."""

from typing import Annotated

from fastapi import Depends, Form
from starlette.responses import Response

from tastemap.serve.settings import Limits
from tastemap.serve.web.rendering import FormText, Visit


class FlagChange:
    """A flag that a form sets or takes back; nothing where the request is no such form."""

    def __init__(self, about: str | None, flag: str, csrf: str) -> None:
        self.about, self.flag, self.csrf = about, flag, csrf

    def answer(self, visit: Visit) -> Response | None:
        """Do it, and go on; None if there is nothing to do.

        Raises:
            Problem: If the form is not ours.
            ArgumentError, UnknownIdError: If the flag or the item is none.
        """
        if visit.request.method != "POST" or self.about is None:
            return None
        visit.check(self.csrf)
        if self.flag:
            visit.service.profiles.flag(visit.key, [self.about], self.flag)
        else:
            visit.service.profiles.unflag(visit.key, self.about)
        return Response(status_code=204) if visit.is_live else visit.again()


async def _change(
    about: Annotated[str | None, Form(max_length=Limits.id_length)] = None,
    flag: FormText = "",
    csrf: FormText = "",
) -> FlagChange:
    return FlagChange(about, flag, csrf)


FormFlag = Annotated[FlagChange, Depends(_change)]
