import re
from pathlib import Path

import pytest
import typer.main
import yaml

from cli.main import command_line
from connectors import known_connectors
from docs import generate
from schemas.definition import Definition, Field, FileOptions, Policies
from schemas.document import parse_definition
from schemas.field_types import FieldType
from schemas.handlebars.blocks import BLOCKS
from schemas.handlebars.helpers import HELPERS
from schemas.mapping import FieldMap
from schemas.notify import Notify
from schemas.principal import Scope
from schemas.webhook import Webhook

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
DEFINITIONS = (ROOT / "docs" / "definitions.md").read_text()
ACCESS = (ROOT / "docs" / "access.md").read_text()


def commands(group, *above):
    """Words after `lading` → the command, those of groups too."""
    found = {}
    for name, command in group.commands.items():
        path = (*above, name)
        found |= commands(command, *path) if hasattr(command, "commands") else {" ".join(path): command}
    return found


COMMANDS = commands(typer.main.get_command(command_line()))


def first_cells(text, heading):
    """The names in backticks of the first column of the table below a heading."""
    section = text.split(f"## {heading}\n")[1].split("\n## ")[0]
    return [name for line in section.splitlines() if line.startswith("| `") for name in _names(line)]


def _names(line):
    return re.findall(r"`([^`]+)`", line.split("|")[1])


@pytest.mark.slow
def test_the_generated_parts_are_what_the_code_makes():
    for path, text in generate.pages().items():
        assert path.read_text() == text


def test_the_readme_names_every_command_and_each_option_it_names_exists():
    cells = [cell for cell in first_cells(README, "Commands") if cell.startswith("lading ")]
    named = [" ".join(word for word in cell.split()[1:] if word.islower()) for cell in cells]
    assert sorted(named) == sorted(COMMANDS)
    options = {option for command in COMMANDS.values() for p in command.params for option in p.opts}
    section = README.split("## Commands\n")[1].split("\n## ")[0]
    assert set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", section)) <= options


def test_the_definition_in_the_readme_is_one():
    (example,) = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
    definition = parse_definition(example)
    assert [f.name for f in definition.fields] == ["id", "date", "magnitude", "status"]
    # A record model is for fields that this short example does not have, the others for who has such clients.
    assert set(yaml.safe_load(example)) == set(Definition.model_fields) - {
        "record",
        "faces",
        "webhooks",
        "source",
        "watch",
        "notify",
        "mapping",
        "lookups",
    }


def test_the_page_on_definitions_names_every_key_type_and_policy():
    assert first_cells(DEFINITIONS, "Fields") == list(Field.model_fields)
    assert first_cells(DEFINITIONS, "The mapping") == list(FieldMap.model_fields)
    templates = DEFINITIONS.split("\nTemplates are")[1].split("Everything else")[0]
    assert {*HELPERS, *BLOCKS} <= set(re.findall(r"`(\w+)`", templates))
    assert first_cells(DEFINITIONS, "Types") == [t.value for t in FieldType]
    assert first_cells(DEFINITIONS, "The file") == list(FileOptions.model_fields)
    assert first_cells(DEFINITIONS, "Policies") == list(Policies.model_fields)
    assert first_cells(DEFINITIONS, "Webhooks") == list(Webhook.model_fields)
    assert first_cells(DEFINITIONS, "Notices") == list(Notify.model_fields)
    top = DEFINITIONS.split("\n## ")[0]
    assert re.findall(r"^\| `(\w+)`", top, re.MULTILINE) == list(Definition.model_fields)


def test_the_page_on_access_names_every_scope_rule_and_command():
    assert first_cells(ACCESS, "Scopes") == [scope.value for scope in Scope]
    sources = "".join(
        p.read_text()
        for room in ("schemas", "store", "tasks", "connectors")
        for p in (ROOT / room).rglob("*.py")
    )
    rules = re.findall(r'NotAllowedError\(\s*"([a-z._]+)"', sources)
    assert sorted(first_cells(ACCESS, "Refusals")) == sorted(set(rules))
    for name, command in COMMANDS.items():
        if name.startswith(("keys", "databases", "connections")):
            assert f"lading {name}" in ACCESS
            for option in [o for p in command.params for o in p.opts if o.startswith("--")]:
                assert option in ACCESS or option in {"--json", "--home"}


def test_every_link_of_the_readme_leads_somewhere():
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert target.startswith("https://") or (ROOT / target).exists()


def test_the_page_on_vendors_names_every_option_secret_and_key_of_each():
    page = (ROOT / "docs" / "vendors.md").read_text()
    for name, connector in known_connectors().items():
        if connector.client is not None:
            (line,) = [line for line in page.splitlines() if line.startswith(f"| `{name}` |")]
            known = {*connector.options, *connector.secrets, *connector.container.model_fields}
            assert [word for word in sorted(known) if f"`{word}`" not in line] == []
