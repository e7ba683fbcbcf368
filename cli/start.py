"""The command `lading` begins here: the process that reads files starts while all the rest is imported."""

import sys

from tasks.reader_process import have_a_reader_ready

READ_FILES = frozenset({"import", "check", "infer"})


def main() -> None:
    """Run the command that the arguments name; ends the process with its exit status."""
    if READ_FILES.intersection(sys.argv[1:2]):
        have_a_reader_ready()
    from cli.main import main as run

    run()


if __name__ == "__main__":
    main()
