"""How quickly a running service takes records in while their client waits, over HTTP, answer included.

`python -m benchmarks.invoke --help` lists what can be chosen. Starts `lading serve` over a new home and stops
it again. Each call brings records of ten fields, with a mapping, for a table of the tenant's own database.
"""

import argparse
import hashlib
import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from benchmarks.service import Service, running_service
from schemas.definition import Definition
from store.definitions import put_definition

AIM_SECONDS = 0.3
"""For a call with 1,000 records, on two processors."""
NAME = "orders"
KINDS = {
    "id": "string",
    "first": "string",
    "last": "string",
    "email": "email",
    "city": "string",
    "amount": "integer",
    "price": "decimal",
    "day": "date",
    "active": "boolean",
    "note": "string",
}
DOCUMENT = {
    "name": NAME,
    "key": ["id"],
    "fields": [{"name": name, "type": kind} for name, kind in KINDS.items()],
    "mapping": {"fields": [{"extract": name, "generate": name} for name in KINDS]},
    "destination": {"table": NAME},
}


def main() -> None:
    """Print every figure, and whether the aim is met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=1_000, help="of each call")
    parser.add_argument("--calls", type=int, default=30, help="one after the other, of each kind")
    parser.add_argument(
        "--parallel", type=int, default=50, help="calls that are made at once, of 20 records each"
    )
    asked = parser.parse_args()
    print(f"load average before: {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as scratch, running_service(Path(scratch)) as service:
        client = _Client(service)
        time.sleep(5.0)  # until what starts late is there
        print(f"first call: {client.call(records('first', 1)) * 1_000:.0f} ms")
        new = [client.call(records(f"call-{n}", asked.records)) for n in range(asked.calls)]
        _say(f"{asked.records:,} new records", new)
        changed = [client.call(records(f"call-{n}", asked.records, note="b")) for n in range(asked.calls)]
        _say(f"{asked.records:,} records that change", changed)
        _say("one record", [client.call(records(f"one-{n}", 1)) for n in range(asked.calls)])
        _parallel(client, asked.parallel)
        met = "met" if statistics.median(new) <= AIM_SECONDS else "MISSED"
        print(f"  a call, in the median: aim {AIM_SECONDS * 1_000:g} ms: {met}")


@dataclass
class _Client:
    """A client of integrator.io's at the service."""

    service: Service
    url: str = ""
    http: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=60, trust_env=False))

    def __post_init__(self) -> None:
        """Keep the definition, which is an import by that."""
        tenant = self.service.settings.tenant
        with self.service.store.write() as session:
            put_definition(session, tenant, Definition.model_validate(DOCUMENT))
        import_id = hashlib.sha256(f"{tenant}/{NAME}".encode()).hexdigest()[:24]
        self.url = f"{self.service.status['api']}/integrator/v1/imports/{import_id}/invoke"

    def call(self, sent: Sequence[dict[str, Any]]) -> float:
        """Seconds until the answer is there; every record has to be taken."""
        headers = {"Authorization": f"Bearer {self.service.token}"}
        started = time.perf_counter()
        answer = self.http.post(self.url, json=sent, headers=headers)
        seconds = time.perf_counter() - started
        answer.raise_for_status()
        taken = [result["statusCode"] for result in answer.json()]
        if taken != [200] * len(sent):
            raise RuntimeError("records were not taken, or not answered")
        return seconds


def records(name: str, number: int, note: str = "a") -> list[dict[str, Any]]:
    """So many records, whose ids begin with the name."""
    return [
        {
            "id": f"{name}-{n}",
            "first": "Ada",
            "last": "Lovelace",
            "email": f"ada{n}@example.org",
            "city": "Köln",
            "amount": n,
            "price": 12.5 + n,
            "day": "2024-02-29",
            "active": True,
            "note": note * 40,
        }
        for n in range(number)
    ]


def _parallel(client: _Client, calls: int) -> None:
    started = time.perf_counter()
    with ThreadPoolExecutor(calls) as threads:
        took = list(threads.map(lambda n: client.call(records(f"parallel-{n}", 20)), range(calls)))
    print(f"{calls} parallel calls of 20 records: all answered after {time.perf_counter() - started:.1f} s")
    _say("one of them", took)


def _say(what: str, seconds: Sequence[float]) -> None:
    ordered = [1_000 * second for second in sorted(seconds)]
    median, worst = statistics.median(ordered), ordered[-1]
    print(f"{what}: median {median:.0f} ms, best {ordered[0]:.0f} ms, worst {worst:.0f} ms", flush=True)


if __name__ == "__main__":
    main()
