"""The command line: Typer commands, what they print, and the exit status."""
