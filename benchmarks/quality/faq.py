"""The handbook on the development sets, through `Handbook.answer`."""

from __future__ import annotations

from collections.abc import Container, Sequence
from pathlib import Path

from policy_faq.calibrate import Result, load_cases, measures
from policy_faq.handbook import Handbook
from sms_gateway.commands.handbook import shared_handbook
from sms_gateway.settings import ROOT

from .findings import WITHOUT_COPIES, Part, Table, Wrong, reliability_curve, reliability_table
from .measures import grouped, reliability
from .training import Copies
from .vectors import vectors

FILES = (
    ROOT / "policy_faq" / "development.jsonl",
    ROOT / "tests" / "policy_faq" / "unseen.jsonl",
    ROOT / "tests" / "quality" / "faq-fresh.jsonl",
    ROOT / "tests" / "quality" / "faq-blind.jsonl",
)


def examine(files: Sequence[Path] = FILES) -> Part:
    """Ask the handbook every line of the files."""
    handbook = shared_handbook()
    return part({file.stem: ask(handbook, file) for file in files if file.is_file()}, Copies())


def ask(handbook: Handbook, file: Path) -> list[Result]:
    """The handbook's answer to each line; an entry that was renamed or removed since makes its line wrong."""
    cases = load_cases(file)
    return [
        Result(case, handbook.answer(case.text, vector), handbook.search(case.text, 1, vector)[0].entry.id)
        for case, vector in zip(cases, vectors([case.text for case in cases]), strict=True)
    ]


def part(by_set: dict[str, list[Result]], copies: Container[str] = ()) -> Part:
    """What there is to say about these answers; `copies`: texts that are training texts too."""
    results = [result for found in by_set.values() for result in found]
    by_set = {**by_set, WITHOUT_COPIES: [result for result in results if result.case.text not in copies]}
    bins = reliability(
        [result.answer.score for result in results], [result.first in result.case.entries for result in results]
    )
    wrong = [result for result in results if not _is_fine(result)]
    return Part(
        name="faq",
        title="Handbook (FAQ)",
        count=len(results),
        measures=measure(results),
        by_set={name: measure(found) for name, found in by_set.items()},
        tables=(
            Table(
                "Answerable questions by kind",
                ("kind", "texts", "right", "wrong", "asked back", "abstained", "right entry first"),
                _answerable(results),
            ),
            Table("Unanswerable texts by kind", ("kind", "texts", "abstained", "answered"), _unanswerable(results)),
            reliability_table("Score: does it mean what it says?", bins),
        ),
        curves=(reliability_curve("Handbook: score of the best entry", bins),),
        wrong=tuple(map(_wrong, sorted(wrong, key=lambda result: (result.case.kind, result.answer.score)))),
    )


def measure(results: Sequence[Result]) -> dict[str, float]:
    """Issue 3's measures of the FAQ and two beside them; those of nothing are left out."""
    found = measures(results)
    known = any(result.case.entries for result in results)
    unknown = any(not result.case.entries for result in results)
    named = {
        "FAQ right": (known, "recall"),
        "FAQ abstains": (unknown, "abstains"),
        "FAQ false abstention": (known, "false_abstention"),
        "FAQ answered wrongly": (known, "wrong"),
        "FAQ right entry first": (known, "first"),
    }
    return {name: found[old] for name, (there, old) in named.items() if there}


def _is_fine(result: Result) -> bool:
    return result.right if result.case.entries else result.answer.abstained


def _wrong(result: Result) -> Wrong:
    said = f"{result.answer.kind} {result.answer.entry_id or result.first}"
    return Wrong(
        " | ".join(result.case.entries) or f"nothing ({result.case.kind})",
        said,
        result.answer.score,
        result.case.text,
    )


def _answerable(results: Sequence[Result]) -> tuple[tuple[str | int | float, ...], ...]:
    rows: list[tuple[str | int | float, ...]] = []
    for kind, group in grouped((each for each in results if each.case.entries), lambda each: each.case.kind).items():
        found, whole = measure(group), len(group)
        asked_back = sum(each.answer.kind == "clarify" for each in group) / whole
        abstained = sum(each.answer.kind == "abstain" for each in group) / whole
        rows.append((
            kind, whole, found["FAQ right"], found["FAQ answered wrongly"], asked_back, abstained,
            found["FAQ right entry first"],
        ))  # fmt: skip
    return tuple(rows)


def _unanswerable(results: Sequence[Result]) -> tuple[tuple[str | int | float, ...], ...]:
    groups = grouped((each for each in results if not each.case.entries), lambda each: each.case.kind)
    return tuple(
        (kind, len(group), measure(group)["FAQ abstains"], sum(not each.answer.abstained for each in group))
        for kind, group in groups.items()
    )
