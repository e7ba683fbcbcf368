"""Behind a pooler each transaction may get another session of the server: none relies on the one before."""

import os
import socket
import struct
import threading
from contextlib import closing, suppress

import polars as pl
import pytest
from sqlalchemy import make_url

STARTUP = 196_608
"""Protocol 3.0: what a client's first packet says once it asks for no TLS and no GSS any more."""
NUMBER = struct.Struct("!I")


class Pooler:
    """Between one client and two sessions of the server, which take turns: one transaction each."""

    def __init__(self, postgres):
        self._owners = [postgres.connect(), postgres.connect()]
        self._sessions = [socket.socket(fileno=os.dup(owner.pgconn.socket)) for owner in self._owners]
        for session in self._sessions:
            session.setblocking(True)
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self.transactions = 0
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def _session(self):
        return self._sessions[self.transactions % 2]

    def _serve(self):
        client, _ = self._server.accept()
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with client, suppress(OSError):  # whoever hangs up first
            self._let_in(client)
            threading.Thread(target=self._upwards, args=(client,), daemon=True).start()
            while message := _message(self._session):
                self.transactions += message[:1] == b"Z" and message[-1:] == b"I"  # idle: the next one's turn
                client.sendall(message)
            client.shutdown(socket.SHUT_RDWR)

    def _let_in(self, client):
        wanted = 0
        while wanted != STARTUP:
            if wanted:
                client.sendall(b"N")
            (size,) = NUMBER.unpack(_exactly(client, 4))
            (wanted,) = NUMBER.unpack(_exactly(client, size - 4)[:4])
        client.sendall(b"R" + NUMBER.pack(8) + NUMBER.pack(0))
        for name in ("server_version", "client_encoding", "standard_conforming_strings", "TimeZone"):
            body = f"{name}\0{self._owners[0].info.parameter_status(name)}\0".encode()
            client.sendall(b"S" + NUMBER.pack(len(body) + 4) + body)
        client.sendall(b"Z" + NUMBER.pack(5) + b"I")

    def _upwards(self, client):
        with suppress(OSError):
            while sent := client.recv(65_536):
                self._session.sendall(sent)

    def close(self):
        self._server.close()
        for owner, session in zip(self._owners, self._sessions, strict=True):
            owner.close()
            session.close()


def _exactly(source, size):
    found = b""
    while len(found) < size and (more := source.recv(size - len(found))):
        found += more
    return found


def _message(source):
    head = _exactly(source, 5)
    return head and head + _exactly(source, NUMBER.unpack(head[1:])[0] - 4)


@pytest.mark.parametrize("atomic", [False, True])
def test_sync_deletes_what_its_own_file_lacks_whichever_session_a_transaction_gets(postgres, atomic):
    with closing(Pooler(postgres)) as pooler:
        url = make_url(postgres.database["database"]).set(host="127.0.0.1", port=pooler.port, query={})
        database = postgres.database | {"database": str(url), "table": "things"}
        definition = postgres.define("id", mode="sync", policies={"atomic": atomic}, destination=database)
        destination = postgres.open(definition)
        for job, ids in (("one", ["a", "b"]), ("two", ["a", "b", "c", "d"]), ("three", ["d"])):
            destination.prepare(definition)
            destination.begin(job, 1)
            destination.load(job, 1, definition, postgres.chunks(definition, [{"id": i} for i in ids]))
            destination.complete(job, 1, definition, iter([pl.DataFrame({"id": ids})]))
            assert [i for (i,) in postgres.sql("SELECT id FROM things ORDER BY id")] == ids
        assert [destination.deleted(job) for job in ("one", "two", "three")] == [0, 0, 3]
        destination.close()
        assert pooler.transactions > 12
        assert postgres.sql("SELECT relname FROM pg_class WHERE relname ~ 'lading_(keys|stage)$'") == []
