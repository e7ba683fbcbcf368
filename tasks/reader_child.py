"""The process that reads users' files, one after the other, so that a hostile one costs this process alone.

It knows neither the job store nor any secret. It gets requests on its standard input, in JSON, one a line. For
each it gives messages in JSON, one a line, on its standard output: `{"tell": …}` as it comes along, then one of
`{"answer": …}`, `{"refused": …}` (the file), `{"unfit": …}` (the definition), `{"full": …}` and
`{"fault": …}`. It ends when its standard input does: then nobody waits for it.
"""

import errno
import importlib
import json
import os
import queue
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, astuple
from itertools import groupby
from pathlib import Path
from traceback import format_tb
from typing import Any, TextIO

from schemas.chunk import CHUNK_ROWS
from schemas.definition import Definition
from schemas.errors import DefinitionError, FileRefusedError
from schemas.limits import Limits
from schemas.row_error import RowError
from tasks.reader_limits import enforce, out_of_memory, peak_bytes
from tasks.reading import DETECTED

ERRORS_A_MESSAGE = 2_000
"""A message ends with the chunk in which this many are reached."""

_PASSING = (errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.EIO, errno.ENOMEM, errno.EAGAIN)
"""Errors of the system that say nothing of the file, and may be over when it is read again."""

_NO_MEMORY = ("memory", "capacity overflow", "failed to spawn", "alloc", "resource temporarily")

_WANTED_SOON = ("tasks.file_look", "tasks.file_check")
"""What takes long to import, and is imported as long as nobody waits for anything else."""

Message = Mapping[str, Any]
Tell = Callable[[Message], None]


def main() -> None:
    """Do what each request asks for, within its limits."""
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a library prints is no message
    requests: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(requests,), daemon=True).start()
    for module in _WANTED_SOON:
        if requests.empty():
            importlib.import_module(module)
    while True:
        _serve(json.loads(requests.get()), lambda message: _send(channel, message))


def _listen(requests: "queue.SimpleQueue[str]") -> None:
    for line in sys.stdin:
        requests.put(line)
    os._exit(0)


def _serve(request: dict[str, Any], send: Tell) -> None:
    limits = Limits(**request.pop("limits"))
    enforce(limits)
    try:
        work = _WORKS[request.pop("work")]
        answer = work(limits, lambda message: send({"tell": message}), **request)
        send({"answer": answer, "peak_bytes": peak_bytes()})
    except FileRefusedError as refusal:
        send({"refused": [refusal.code, str(refusal)], "peak_bytes": peak_bytes()})
    except DefinitionError as error:
        send({"unfit": str(error), "peak_bytes": peak_bytes()})
    except MemoryError:
        send({"refused": ["file.memory_limit", str(out_of_memory(limits))]})
    except BaseException as error:  # noqa: BLE001 - a panic of a reader, too, is to be told
        send(_told(error, limits))


def _told(error: BaseException, limits: Limits) -> Message:
    """What to say of an error that nobody expected; never its message, which may quote the file."""
    if isinstance(error, OSError) and error.errno in _PASSING:
        return {"full": error.strerror}
    if type(error).__name__ == "PanicException" and any(words in str(error).lower() for words in _NO_MEMORY):
        return {"refused": ["file.memory_limit", str(out_of_memory(limits))]}
    return {"fault": [type(error).__name__, format_tb(error.__traceback__)]}


def _send(channel: TextIO, message: Message) -> None:
    json.dump(message, channel, ensure_ascii=False)
    channel.write("\n")
    channel.flush()


def _check(
    limits: Limits,
    tell: Tell,
    *,
    path: str,
    file_name: str,
    definition: Mapping[str, Any],
    stage: str,
    is_draft: bool,
) -> Message:
    from tasks.file_check import check_file
    from tasks.staging import Draft, Stage

    def keep(part: str, errors: Sequence[RowError], rows: int) -> None:
        for some in _pieces(errors):
            tell({"part": part, "errors": [astuple(error) for error in some], "rows": rows})

    staged = Draft(Path(stage)) if is_draft else Stage(Path(stage))
    checked = check_file(Path(path), file_name, Definition.model_validate(definition), staged, keep, limits)
    groups = [(code, field, rows) for (code, field), rows in checked.groups.most_common()]
    return {
        "detected": asdict(checked.detected),
        "rows": checked.rows,
        "groups": groups,
        "warnings": checked.warnings,
    }


def _pieces(errors: Sequence[RowError]) -> Iterator[list[RowError]]:
    """The errors, which are in order of ordinal, in messages of a bearable size; those of a chunk in one."""
    piece: list[RowError] = []
    for _, group in groupby(errors, key=lambda error: (error.ordinal or 0) // CHUNK_ROWS):
        piece += group
        if len(piece) >= ERRORS_A_MESSAGE:
            yield piece
            piece = []
    if piece or not errors:
        yield piece


def _look(limits: Limits, _tell: Tell, *, path: str, file_name: str, folder: str, shown_errors: int) -> Message:
    from tasks.file_look import look_at_file

    look = look_at_file(Path(path), file_name, Path(folder), limits, shown_errors)
    return asdict(look)


def _infer(limits: Limits, _tell: Tell, *, path: str, file_name: str, folder: str) -> Message:
    from tasks.file_inference import infer_file

    inference = infer_file(Path(path), file_name, Path(folder), limits)
    return {"definition": inference.definition.model_dump(mode="json"), "notes": inference.notes}


def _failed_rows(
    limits: Limits, _tell: Tell, *, path: str, detected: Mapping[str, Any], out: str, errors: str
) -> Message:
    from tasks.failed_rows_file import read_errors, write_failed

    found = DETECTED.validate_python(detected)
    return {"rows": write_failed(Path(path), found, Path(out), read_errors(Path(errors)), limits)}


_WORKS: Mapping[str, Callable[..., Message]] = {
    "check": _check,
    "look": _look,
    "infer": _infer,
    "failed_rows": _failed_rows,
}

if __name__ == "__main__":
    main()
