"""What a hub said no to, in words a creator understands."""

from __future__ import annotations

import errno
import re

import httpx2
from huggingface_hub import constants
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from engine.schema.errors import HubProblem, MachineProblem, ModelGated, RushesError, not_written
from engine.schema.message import NOTHING, Message

SIGN_IN = "`app.py models sign-in`"


def gate_of(repo: str) -> Message:
    """What to do about a model whose owner asks for consent first."""
    return Message(
        "Open {endpoint}/{repo} in a browser, sign in, read the terms and accept them; then sign in "
        "here with {sign_in} and install it again.",
        endpoint=constants.ENDPOINT,
        repo=repo,
        sign_in=SIGN_IN,
    )


def gated(repo: str) -> ModelGated:
    return ModelGated(
        Message("The owner of {repo} asks everyone to accept terms before downloading.", repo=repo), gate_of(repo)
    )


def lasting(error: Exception) -> bool:
    """Whether trying again cannot help: the hub understood, and said no."""
    if isinstance(error, HfHubHTTPError):
        if not str(error.response.url).startswith(constants.ENDPOINT):
            return False  # a signed address that ran out; the hub gives a new one
        return error.response.status_code not in (408, 416, 425, 429) and error.response.status_code < 500
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES):
        return True
    return isinstance(error, OfflineModeIsEnabled | HFValidationError)


def explain(error: Exception, repo: str, arrived: bool = False) -> RushesError:
    """The refusal that a face shows for anything that went wrong while talking to a hub about `repo`. `arrived`: some
    of it is on the disk, from where the next try goes on."""
    kept = Message("What has arrived is kept.") if arrived else NOTHING
    host = constants.ENDPOINT.split("://")[-1]
    said = re.sub(r"\?[^\s'\"]+", "?...", str(error))  # signed addresses stay out of logs
    detail = f"{type(error).__name__}: {said[:500]}"
    match error:
        case RushesError():
            return error
        case GatedRepoError():
            return gated(repo)
        case RepositoryNotFoundError() | RevisionNotFoundError() | EntryNotFoundError():
            return HubProblem(
                Message(
                    "{host} has no {repo} for you, or not in this version: it was removed, renamed or made private.",
                    host=host,
                    repo=repo,
                ),
                Message(
                    "If it is private, {sign_in}; else look for an update of Rushes.",
                    sign_in=SIGN_IN.removeprefix("then "),
                ),
                detail,
            )
        case HfHubHTTPError() if error.response.status_code in (401, 403):
            return ModelGated(
                Message("{host} does not let you have {repo}.", host=host, repo=repo),
                Message("Check your access there, {sign_in}.", sign_in=SIGN_IN),
                detail,
            )
        case HfHubHTTPError():
            return HubProblem(
                Message(
                    "{host} answered with an error ({status_code}).", host=host, status_code=error.response.status_code
                ),
                Message.joined([Message("Try again in a while."), kept]),
                detail,
            )
        case OfflineModeIsEnabled():
            return HubProblem(
                Message("Downloads are switched off (HF_HUB_OFFLINE)."), Message("Unset it, then try again."), detail
            )
        case HFValidationError():
            return HubProblem(
                Message("'{repo}' is not the name of a repository.", repo=repo[:80]),
                Message("Correct the model card."),
                detail,
            )
        case OSError() if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return not_written(error)
        case OSError() if isinstance(error, PermissionError) or error.errno == errno.EROFS:
            return MachineProblem(
                Message("The model folder cannot be written."), Message("Check its permissions, then resume."), detail
            )
        case httpx2.HTTPError() | OSError() | RecursionError():
            return HubProblem(
                Message("{host} cannot be reached, or the connection keeps breaking.", host=host),
                Message.joined(
                    [Message("Check the internet connection (or the mirror in HF_ENDPOINT), then try again."), kept]
                ),
                detail,
            )
    return HubProblem(
        Message("{host} sent an answer that makes no sense.", host=host),
        Message("Try again later or use another mirror."),
        detail,
    )
