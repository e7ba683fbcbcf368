"""What faces tell of errors, and what they keep to themselves."""

import logging
import socket
import threading

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from starlette.responses import JSONResponse

from api.request_log import RequestLog
from connectors.refusal import RefusalError, tell_refusals
from schemas.errors import (
    BodyError,
    BusyError,
    DefinitionError,
    DestinationError,
    FatalError,
    NoSpaceError,
    NotAllowedError,
    NotFoundError,
    StoreBusyError,
)


def failing(error: Exception) -> FastAPI:
    app, face = FastAPI(), FastAPI()
    tell_refusals(
        face, lambda refusal: JSONResponse({"said": refusal.message}, refusal.status, refusal.headers)
    )

    @face.get("/")
    def fail() -> None:
        raise error

    app.mount("/face", face)
    app.add_middleware(RequestLog)
    return app


def asked(error: Exception) -> httpx.Response:
    server = uvicorn.Server(uvicorn.Config(failing(error), lifespan="off", log_config=None, access_log=False))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        try:
            port = listening.getsockname()[1]
            return httpx.get(f"http://127.0.0.1:{port}/face/", timeout=30, trust_env=False)
        finally:
            server.should_exit = True
            thread.join()


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (RefusalError(418, "no"), 418),
        (BodyError(413, "too large"), 413),
        (NotFoundError("there is none"), 404),
        (NotAllowedError("a.rule", "not yours"), 403),
        (BusyError("another runs", None), 409),
        (DefinitionError("mode 'sync' needs a 'key'"), 422),
        (DestinationError("the table does not fit"), 422),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
def test_what_the_client_can_mend_is_told_as_it_is(error, status):
    answer = asked(error)
    assert (answer.status_code, answer.json()["said"]) == (status, str(error))


@pytest.mark.parametrize("error", [StoreBusyError("/home/x is locked"), NoSpaceError("/home/x is full")])
def test_what_passes_is_told_with_a_pause_and_without_its_place(error):
    answer = asked(error)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    assert "/home" not in answer.text


@pytest.mark.parametrize("error", [FatalError("/home/x could not be written"), ZeroDivisionError("/home/x")])
def test_a_fault_of_ours_goes_to_the_log_and_not_to_the_client(error, caplog):
    with caplog.at_level(logging.ERROR, "lading.api"):
        answer = asked(error)
    assert (answer.status_code, "/home" in answer.text) == (500, False)
    assert type(error).__name__ in caplog.text
