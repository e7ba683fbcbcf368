"""Requests that Prefect's database refused, over a real socket."""

import threading

import httpx
import pytest
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import PlainTextResponse

from flows.patient_app import REPEATS, PatientApp


class Refusing:
    """An app that refuses so many requests before it answers one with its body."""

    def __init__(self):
        self.refusals = 0
        self.bodies = []
        self.app = FastAPI()
        self.app.add_api_route("/", self.answer, methods=["POST"], response_class=PlainTextResponse)
        self.app.add_api_route("/wrong", self.fail, methods=["POST"])

    async def answer(self, request: Request):
        self.bodies.append(await request.body())
        if self.refusals:
            self.refusals -= 1
            return PlainTextResponse("refused", 503, {"Retry-After": "2"})
        return PlainTextResponse(self.bodies[-1])

    async def fail(self):
        raise ValueError("a fault")


@pytest.fixture
def refusing():
    return Refusing()


@pytest.fixture
def url(refusing):
    config = uvicorn.Config(PatientApp(refusing.app), port=0, log_config=None, lifespan="off")
    server = uvicorn.Server(config)
    with config.bind_socket() as bound:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
        thread.start()
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"
        server.should_exit = True
        thread.join()


def test_a_refused_request_is_repeated_with_its_body_until_it_is_taken(refusing, url):
    refusing.refusals = 3
    body = b"x" * 300_000
    answer = httpx.post(url, content=body)
    assert (answer.status_code, answer.content) == (200, body)
    assert refusing.bodies == [body] * 4


def test_who_is_refused_every_time_is_told_so_in_the_end(refusing, url):
    refusing.refusals = 1000
    answer = httpx.post(url, content=b"x", timeout=30)
    assert (answer.status_code, answer.text, answer.headers["Retry-After"]) == (503, "refused", "2")
    assert len(refusing.bodies) == REPEATS + 1


def test_other_answers_are_given_at_once(refusing, url):
    assert httpx.get(url).status_code == 405
    assert httpx.post(f"{url}/wrong").status_code == 500
    assert refusing.bodies == []
