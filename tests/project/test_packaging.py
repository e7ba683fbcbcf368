import tomllib
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_every_file_that_the_code_needs_is_packaged_with_it():
    setup = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    rooms = [name.rstrip("*") for name in setup["packages"]["find"]["include"]]
    patterns = setup["package-data"]
    left_out = []
    for path in (p for room in rooms for p in (ROOT / room).rglob("*") if p.is_file()):
        # The package is the nearest folder that is one; patterns begin there.
        package = next(folder for folder in path.parents if (folder / "__init__.py").exists())
        wanted = [*patterns["*"], *patterns.get(".".join(package.relative_to(ROOT).parts), [])]
        inside = str(path.relative_to(package))
        is_code = path.suffix in {".py", ".pyc"}
        if not is_code and not any(fnmatch(inside, pattern) for pattern in wanted):
            left_out.append(str(path))
    assert left_out == []
