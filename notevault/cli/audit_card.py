"""audit card: what an auditor takes along at the first visit, on a screen, on paper or as the file itself."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from notevault.adapters.card_print import CardModel, card_pdf, card_text, code_text, code_width
from notevault.app import auditcard
from notevault.app.auditcard import OwnCard
from notevault.cli import newfile
from notevault.cli.common import Context
from notevault.cli.show import iso_here

WHAT = "The card"


def run(ctx: Context) -> int:
    out = None if ctx.args.out is None else newfile.place(ctx.args.out, ctx.side.vault, WHAT)
    cards = auditcard.cards_of(ctx.env, auditcard.own_vault(ctx.env, ctx.side.vault))
    chosen = auditcard.pick([each.origin for each in cards], ctx.args.log)
    card = next(each for each in cards if each.origin == chosen)
    model = _model(ctx, card)
    if out is not None:
        newfile.write_new(out, _file(out, card, model), WHAT)
        ctx.out.row({**_facts(ctx, card), "file": str(out)}, f"Card's fingerprint: {_in_fours(card.fingerprint)}")
        ctx.out.say(f"The card of {model.log} is in {out}. It is no secret.")
        return 0
    ctx.out.row(_facts(ctx, card), card_text(model).rstrip("\n"))
    if not ctx.args.json:
        _code(ctx, card)
        _others(ctx, [each for each in cards if each is not card])
    return 0


def _file(out: Path, card: OwnCard, model: CardModel) -> bytes:
    kind = out.suffix.lower()
    if kind == ".pdf":
        return card_pdf(model)
    if kind == ".txt":
        return (card_text(model) + "\n" + code_text(card.data, dark_screen=False)).encode("utf-8")
    return card.data


def _code(ctx: Context, card: OwnCard) -> None:
    """The QR code where it can be of use: not for a screen reader, and not broken over lines."""
    if ctx.args.plain:
        return
    screen = sys.stdout.isatty()
    width = code_width(card.data)
    if screen and shutil.get_terminal_size().columns < width:
        ctx.out.say(f"For the QR code the window must be {width} columns wide; or print it: --out card.pdf")
        return
    ctx.out.text(code_text(card.data, dark_screen=screen))


def _others(ctx: Context, older: list[OwnCard]) -> None:
    if older:
        ctx.out.say("Older logs of this vault, whose cards `--log NAME` shows:")
    for each in older:
        begun = _day(ctx, each.card.created)
        ctx.out.say(f"  notevault/{each.origin}  begun on {begun}  card {_in_fours(each.fingerprint)}")


def _model(ctx: Context, card: OwnCard) -> CardModel:
    return CardModel(
        card.data,
        card.fingerprint,
        card.card.vault,
        card.vault_fingerprint,
        f"notevault/{card.origin}",
        _day(ctx, card.card.created),
        _day(ctx, ctx.env.clock.wall_ms()),
    )


def _facts(ctx: Context, card: OwnCard) -> dict[str, object]:
    return {
        "begun": iso_here(ctx.env, card.card.created),
        "card": card.data.decode("ascii"),
        "current": card.current,
        "fingerprint": card.fingerprint,
        "log": f"notevault/{card.origin}",
        "vault": card.card.vault,
        "vault_fingerprint": card.vault_fingerprint,
    }


def _day(ctx: Context, ms: int) -> str:
    from notevault.domain.dates import local

    day = local(ms, ctx.env.clock.utc_offset_minutes(ms))
    return f"{day.day} {day:%B %Y}"


def _in_fours(text: str) -> str:
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))
