"""The report's page: well-formed, by itself, safe to open whatever the folder held, and readable without colour."""

from __future__ import annotations

import hashlib
import itertools
import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings

from notevault.auditlog import chart, html, markup, plain, report
from notevault.auditlog.outcome import AnchorRef, Fail, Jump, Seen, VaultVerdict
from notevault.auditlog.plain import KINDS
from notevault.auditlog.verdict import Finding, Weight
from tests.auditlog import report_sample as sample
from tests.auditlog.test_report import verdicts

CASES = {
    "intact": sample.intact(),
    "tampered": sample.tampered(),
    "first visit": sample.intact(first_visit=True),
    "empty": VaultVerdict(),
    "one day": sample.intact(1),
    "three years": sample.intact(1096),
    "undecided": sample.undecided(),
}
EVIL = "</style></title><script>alert(1)</script>\" onload='x' &amp; \x00\x1b[2J\u202e\ud800 https://evil.example/x"


def tree(page: bytes) -> ElementTree.Element:
    """The page as XML; raises where it is not well-formed."""
    return ElementTree.fromstring(page)


def said(page: bytes) -> str:
    return " ".join("".join(tree(page).itertext()).split())


class Reader(HTMLParser):
    """An HTML reader's view: tags opened and closed in their order, attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        self._note(tag, attrs)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._note(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def _note(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]


def read(page: bytes) -> Reader:
    reader = Reader()
    reader.feed(page.decode())
    reader.close()
    assert reader.open == []
    return reader


@pytest.mark.parametrize("name", CASES)
def test_a_page_is_well_formed_and_stands_by_itself(name: str) -> None:
    page = html.page(CASES[name], version="0.3.0")
    assert page.startswith(b'<!DOCTYPE html>\n<html lang="en">')
    tree(page)
    reader = read(page)
    assert not reader.tags & {"script", "link", "img", "iframe", "object", "embed", "base", "form", "a", "image", "use"}
    assert ("content", html.CSP) in reader.attributes
    for attribute, value in reader.attributes:
        assert attribute not in {"src", "href", "style", "srcset", "action"}
        assert not attribute.startswith("on")
        assert "url(" not in value or value.startswith("url(#k-")
        assert "//" not in value or (attribute, value) == ("xmlns", "http://www.w3.org/2000/svg")
    css = str(tree(page).findtext("head/style"))
    assert not re.search(r"url\(|@import|@font-face|//", css)


def hostile() -> VaultVerdict:
    verdict = sample.intact(30)
    verdict.vault = verdict.fingerprint = EVIL
    verdict.findings = [Finding(EVIL, Weight.TAMPERED, EVIL)]
    log = verdict.logs[0]
    log.verdict.origin = EVIL
    log.verdict.counts = {EVIL: 3}
    log.tally.days[sample.LAST_DAY] = {EVIL: 3}
    log.tally.outcomes = {(EVIL, EVIL): 3}
    log.tally.purposes = {EVIL: 3}
    log.tally.fails = [Fail(1, 2, 3, 4, EVIL)]
    log.tally.jumps = [Jump(1, 2, 3, EVIL)]
    log.anchors = [AnchorRef(Seen(EVIL, 1, b"\xff", EVIL, 5), EVIL)]
    log.cites = (EVIL, 1, b"")
    return verdict


def test_nothing_from_a_folder_becomes_markup() -> None:
    page = html.page(hostile(), version=EVIL)
    tree(page)
    reader = read(page)
    assert "script" not in reader.tags
    assert not any(name.startswith("on") for name, _ in reader.attributes)
    text = page.decode()
    assert "<script" not in text
    assert not any(c in text for c in "\x00\x1b\u202e")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text


@settings(max_examples=40)
@given(verdicts())
def test_any_verdict_gives_a_well_formed_page(verdict: VaultVerdict) -> None:
    page = html.page(verdict, version="0")
    tree(page)
    read(page)


def test_the_three_results_look_different_without_colour() -> None:
    boxes = {}
    for name in ("intact", "tampered", "undecided"):
        page = html.page(CASES[name], version="0")
        box = next(node for node in tree(page).iter("section") if "verdict" in node.get("class", ""))
        assert box.get("class") == f"verdict {name}"
        css = str(tree(page).findtext("head/style"))
        border = re.search(rf"\.{name} {{ border: (\S+ \S+) ", css)
        assert border
        boxes[name] = (border[1], str(ElementTree.tostring(box.find("svg") or box)))
    assert boxes["intact"][0] == "2px solid"
    assert boxes["tampered"][0] == "9px solid"
    assert boxes["undecided"][0] == "3px dashed"
    assert len({icon for _, icon in boxes.values()}) == 3


def lightness(colour: str) -> float:
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return 0.299 * red + 0.587 * green + 0.114 * blue


def test_kinds_can_be_told_apart_in_grey_by_pattern_or_by_lightness() -> None:
    page = html.page(CASES["three years"], version="0")
    patterns = {node.get("id"): node for node in tree(page).iter("{http://www.w3.org/2000/svg}pattern")}
    assert set(patterns) == {f"k-{kind}" for kind in KINDS}
    looks = []
    for kind in KINDS:
        ground, *lines = list(patterns[f"k-{kind}"])
        looks.append((lightness(ground.get("fill", "")), "".join(line.get("d", "dots") for line in lines)))
    assert len({lines for _, lines in looks}) == 5  # two are plain
    plain = [light for light, lines in looks if not lines]
    assert abs(plain[0] - plain[1]) > 100
    for (one, _), (other, _) in itertools.pairwise(looks):
        assert abs(one - other) > 8


@pytest.mark.parametrize("days", [1, 30, 1096])
def test_a_chart_stays_in_its_frame_and_has_title_legend_and_dates(days: int) -> None:
    page = html.page(sample.intact(days), version="0")
    svg = next(node for node in tree(page).iter() if node.get("role") == "img")
    space = "{http://www.w3.org/2000/svg}"
    assert str(svg.findtext(f"{space}title")).startswith("Activity by ")
    assert "Entries in all: " in str(svg.findtext(f"{space}desc"))
    assert svg.get("aria-labelledby") == "chart-title chart-desc"
    labels = [node.text or "" for node in svg.iter(f"{space}text")]
    assert "written or signed" in labels
    assert any(re.search(r"[A-Z][a-z]{2}", label) for label in labels)
    for rect in svg.iter(f"{space}rect"):
        if rect.get("x"):
            assert 0 <= float(rect.get("x", "")) <= chart.WIDTH - float(rect.get("width", ""))
            assert 0 <= float(rect.get("y", "")) <= chart.HEIGHT - float(rect.get("height", ""))


def test_every_table_has_a_caption_and_heads_that_repeat_in_print() -> None:
    page = html.page(CASES["tampered"], version="0")
    tables = list(tree(page).iter("table"))
    assert len(tables) >= 8
    for table in tables:
        assert [child.tag for child in table] == ["caption", "thead", "tbody"]
        assert all(head.get("scope") == "col" for head in table.iter("th"))
        widths = {len(row) for row in table.iter("tr")}
        assert len(widths) == 1
    assert "thead { display: table-header-group; }" in page.decode()


def test_the_page_says_what_was_not_checked_what_it_means_and_where_to_sign() -> None:
    text = said(html.page(CASES["first visit"], version="0.3.0"))
    for part in (
        "Not checked, or not vouched for", "a log cut, rolled back or replaced before this check".capitalize(),
        "What this result means, and what it cannot tell", "INTACT (first visit)", "About whom an entry is",
        "Signature", "nvaudit 0.3.0; exit code 0", "failed unlocks", "wrong passphrase", "21 Nov 2026 16:00 UTC",
    ):  # fmt: skip
        assert part in text, part


def block(page: bytes) -> str:
    """What stands above the line for the signature."""
    text = said(page)
    return text[text.index("I made this check myself") :]


def test_what_is_signed_names_the_report_that_it_belongs_to() -> None:
    for verdict in (sample.intact(), sample.tampered()):
        found = report.report(verdict, version="0.3.0")
        signed = block(html.render(found))
        digest = hashlib.sha256(report.dump(found)).hexdigest()
        for part in (
            found["title"],
            found["vault"],
            "21 Nov 2026 16:00 UTC",
            plain.fingerprint(verdict.fingerprint),
            digest,
        ):
            assert part in signed, part
        assert "with the card of this fingerprint" in signed


def test_no_card_is_said_to_be_used_where_none_was() -> None:
    signed = block(html.page(CASES["undecided"], version="0"))
    assert "without a card" in signed
    assert "no card was used" in signed
    assert "fingerprint. " not in signed


def test_the_owners_own_report_has_no_place_to_sign_and_says_whose_it_is() -> None:
    verdict = sample.intact()
    verdict.own = True
    text = said(html.page(verdict, version="0"))
    text = text[text.index("A check of a notevault vault") :]
    assert text.index("Made by the vault's owner on her own laptop") < text.index("INTACT")
    assert "I made this check myself" not in text
    assert "Signature" not in text.split("It cannot tell")[1]


def test_a_folder_without_logs_is_not_said_to_have_no_failed_unlocks() -> None:
    text = said(html.page(VaultVerdict(), version="0"))
    assert "No failed unlock is logged" not in text
    assert "nothing written was left waiting" not in text
    assert "Failed unlocks: there is no log to tell." in text


def test_a_long_list_is_cut_on_the_page_and_says_so() -> None:
    text = said(html.page(sample.tampered(1000), version="0"))
    assert "803 more are not shown here: see the JSON report" in text


def test_markup_escapes_what_it_is_given_and_keeps_what_it_made() -> None:
    assert markup.el("p", "<b>", markup.el("b", "&"), None, title='"') == (
        '<p title="&quot;">&lt;b&gt;<b>&amp;</b></p>'
    )
