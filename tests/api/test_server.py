import os
import signal
import socket
import subprocess
import sys

import httpx
import pytest


@pytest.fixture
def listening():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield listening


def start(listening, parent_pid, environment):
    return subprocess.Popen(
        [sys.executable, "-m", "api.server", str(listening.fileno()), str(parent_pid)],
        env=environment,
        pass_fds=[listening.fileno()],
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.slow
def test_it_answers_on_the_inherited_socket_and_logs_no_token_until_sigterm(listening, settings, environment):
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    server = start(listening, os.getpid(), environment(settings))
    # The socket listens already: what comes before the server is up waits.
    secret = {"Authorization": "Bearer s3cret"}
    assert httpx.get(f"{url}/nowhere?token=s3cret", headers=secret, timeout=30).status_code == 404
    server.send_signal(signal.SIGTERM)
    _, said = server.communicate(timeout=10)
    assert server.returncode in {0, -signal.SIGTERM}
    assert " GET /nowhere 404 " in said
    assert "s3cret" not in said


@pytest.mark.slow
def test_it_ends_when_its_parent_is_gone(listening, settings, environment):
    server = start(listening, 1 if os.getppid() != 1 else 2, environment(settings))
    server.communicate(timeout=20)
    assert server.returncode in {0, 1, -signal.SIGTERM}
