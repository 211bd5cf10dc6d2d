"""Note templates: the headings put into a new note, and the way back from a text to its sections."""

from __future__ import annotations

from dataclasses import dataclass

from notevault.domain.folding import fold
from notevault.errors import UsageFault


@dataclass(frozen=True)
class Template:
    """`name` is what is stored; `headings` stand on lines of their own, in order; `plan` is the one for next time."""

    name: str
    headings: tuple[str, ...]
    about: str
    plan: str = ""


TEMPLATES = {
    template.name: template
    for template in (
        Template("SOAP", ("Subjective", "Objective", "Assessment", "Plan"), "told, seen, judged, next", "Plan"),
        Template("DAP", ("Data", "Assessment", "Plan"), "what happened, judged, next", "Plan"),
        Template("BIRP", ("Behaviour", "Intervention", "Response", "Plan"), "seen, done, answered, next", "Plan"),
        Template("free", (), "no headings"),
    )
}


def template_named(text: str) -> Template:
    """By name, case aside. UsageFault naming the choices."""
    for template in TEMPLATES.values():
        if template.name.lower() == text.strip().lower():
            return template
    raise UsageFault("There is no template of that name.", f"There are {', '.join(TEMPLATES)}.")


def new_text(template: Template) -> tuple[str, int]:
    """The text of a new note, and the cursor's place (an index into it): below the first heading."""
    if not template.headings:
        return "", 0
    text = "\n".join(f"{heading}\n\n" for heading in template.headings)
    return text, len(template.headings[0]) + 1


def _heading(line: str, template: Template) -> str | None:
    """The heading that a line is: alone on it, case, a colon or markdown marks aside."""
    plain = fold(line.strip().strip("#*: ").strip())
    return next((heading for heading in template.headings if fold(heading) == plain), None)


def sections(text: str, template: Template) -> dict[str, str]:
    """What stands under each heading, stripped. Text before the first heading is under ""; a repeated heading adds."""
    found: dict[str, list[str]] = {"": []}
    current = ""
    for line in text.split("\n"):
        heading = _heading(line, template)
        if heading is None:
            found[current].append(line)
        else:
            current = heading
            found.setdefault(heading, [])
    return {heading: "\n".join(lines).strip() for heading, lines in found.items()}


def heading_words(text: str, template: Template) -> int:
    """How many of the text's words are the template's own headings: nobody wrote them."""
    longest = max(map(len, template.headings), default=0) + 8  # marks around a heading; cheap, for it runs at each key
    short = (line for line in text.split("\n") if line and len(line) <= longest)
    return sum(len(found.split()) for line in short if template.headings and (found := _heading(line, template)))


def unwritten(text: str, template: Template) -> list[str]:
    """Headings of the template with nothing under them, to be said before signing."""
    written = sections(text, template)
    return [heading for heading in template.headings if not written.get(heading)]


def is_untouched(text: str, template: Template) -> bool:
    """Whether nothing was written beyond the headings: such a note need not be kept."""
    return not any(sections(text, template).values())


def plan_of(text: str, template: Template) -> str:
    """The plan of a note, for the start of the next one; "" where the template or the note has none."""
    return sections(text, template).get(template.plan, "") if template.plan else ""
