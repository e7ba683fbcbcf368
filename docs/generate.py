"""Writes the parts of the docs that are made from the code: `python -m docs.generate`."""

from pathlib import Path

from pydantic_settings import BaseSettings

from api.problems import PROBLEM_TYPES
from connectors import known_connectors
from docs.bad_inputs.outcomes import outcomes
from docs.bad_inputs.page import bad_inputs_markdown
from schemas.codes import catalogue_markdown
from schemas.job import TRANSITIONS, JobState
from schemas.settings import Settings

ROOT = Path(__file__).resolve().parents[1]


def pages() -> dict[Path, str]:
    """Each page that has generated parts, as it should be."""
    readme = ROOT / "README.md"
    text = _replaced(readme.read_text(), "states", states_diagram())
    text = _replaced(text, "settings", settings_table(Settings))
    docs = ROOT / "docs"
    faces = {docs / "faces" / f"{name}.md": known for name, known in known_connectors().items()}
    return {
        readme: text,
        **{
            page: _replaced(page.read_text(), "choices", settings_table(face.choices))
            for page, face in faces.items()
            if page.exists()
        },
        docs / "errors.md": catalogue_markdown(),
        docs / "http-api.md": _replaced((docs / "http-api.md").read_text(), "problems", problems_table()),
        docs / "bad-inputs.md": bad_inputs_markdown(outcomes()),
    }


def states_diagram() -> str:
    """The table of transitions as a Mermaid diagram."""
    lines = ["```mermaid", "stateDiagram-v2", f"    [*] --> {JobState.RECEIVED.value}"]
    for source, targets in TRANSITIONS.items():
        lines += [f"    {source.value} --> {target.value}" for target in JobState if target in targets]
    lines += [f"    {state.value} --> [*]" for state in JobState if state.terminal]
    return "\n".join([*lines, "```"])


def settings_table(settings: type[BaseSettings]) -> str:
    """Every setting of the class with its default."""
    lines = ["| variable | default | meaning |", "|---|---|---|"]
    prefix = settings.model_config.get("env_prefix", "")
    for name, field in settings.model_fields.items():
        default = "the nearest `.lading`" if name == "home" else f"`{field.default}`"
        lines.append(f"| `{prefix}{name.upper()}` | {default} | {field.description} |")
    return "\n".join(lines)


def problems_table() -> str:
    """Every type of problems that the status API answers with."""
    lines = ["| type | status | when |", "|---|---:|---|"]
    lines += [f"| `{kind.uri}` | {kind.status.value} | {kind.meaning} |" for kind in PROBLEM_TYPES.values()]
    return "\n".join(lines)


def _replaced(text: str, part: str, body: str) -> str:
    """The text with `body` between the marks of this part, which must be there."""
    mark, end = f"<!-- {part}: made by docs/generate.py -->\n", "<!-- end -->"
    before, found, rest = text.partition(mark)
    if not found or end not in rest:
        raise ValueError(f"the mark {mark!r} or its end is missing")
    return f"{before}{mark}{body}\n{end}{rest.partition(end)[2]}"


if __name__ == "__main__":
    for path, text in pages().items():
        path.write_text(text)
