"""Triage on the development sets, through `Triage.judge` with each line's `earlier`."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from pathlib import Path

from sms_gateway.settings import ROOT
from sms_gateway.triage import Harm, Judgement, Lane, load
from sms_gateway.triage.examples_file import Example, read
from sms_gateway.triage.measures import FALSE_ALARMS, Pair, judged, measure, precision, share

from .findings import WITHOUT_COPIES, Bars, Curve, Heat, Part, Table, Wrong, reliability_curve, reliability_table
from .measures import by_class, confusion, grouped, precision_over_recall, reliability
from .training import Copies
from .vectors import vectors

_SETS = ROOT / "tests" / "quality"
EVERYDAY = ("triage-plain", "triage-plain-blind")
"""Harmless texts as the line gets them all day. Only their false alarms count: they would lighten every other measure."""
JUDGED = ("triage", "triage-fresh", "triage-blind", "triage-blind-2", "triage-hard")
FILES = tuple(_SETS / f"{name}.jsonl" for name in (*JUDGED, *EVERYDAY))
"""On the first two the last layer and the thresholds were chosen; nobody who wrote training texts has read `triage-blind`.
Mistakes on `triage-blind-2` and `triage-hard` (the kinds that proved hard) were read by kind before more was written."""
LANES = tuple(lane.value for lane in Lane)
HARMS = tuple(harm.value for harm in Harm)


def examine(files: Sequence[Path] = FILES) -> Part:
    """Judge every line of the files."""
    triage, by_set = load(), {}
    for file in filter(Path.is_file, files):
        examples = read(file)
        by_set[file.stem] = judged(triage, examples, vectors([example.text for example in examples]))
    return part(by_set, Copies())


def part(by_set: dict[str, list[Pair]], copies: Container[str] = ()) -> Part:
    """What there is to say about these judgements; `copies`: texts that are training texts too."""
    everyday = [pair for name in EVERYDAY for pair in by_set.get(name, [])]
    pairs = [pair for name, found in by_set.items() if name not in EVERYDAY for pair in found]
    false_alarms = {FALSE_ALARMS: measure(pairs + everyday)[FALSE_ALARMS]}
    by_set = {**by_set, WITHOUT_COPIES: [pair for pair in pairs if pair[0].text not in copies]}
    bins = reliability([said.score for _, said in pairs], [_is_red(example) for example, _ in pairs])
    lanes = [(example.lane.value, said.lane.value) for example, said in pairs]
    types = [(example.type.value, said.type.value) for example, said in pairs]
    of_types = by_class(types)
    return Part(
        name="triage",
        title="Triage",
        count=len(pairs) + len(everyday),
        measures=measure(pairs) | false_alarms,
        by_set={name: measure(found) for name, found in by_set.items()},
        tables=(
            _classes("Lanes", lanes),
            _groups("By type (what it is)", pairs, lambda example: example.type.value),
            _groups("By difficulty", pairs, lambda example: example.difficulty or "-"),
            _groups("By writer", pairs, lambda example: example.writer.value),
            _classes("Types, as named by triage", types),
            _classes("Immediacy", [(example.immediacy.value, said.immediacy.value) for example, said in pairs]),
            _classes("Writer", [(example.writer.value, said.writer.value) for example, said in pairs]),
            reliability_table("Score of red: does it mean what it says?", bins),
        ),
        heats=(
            Heat("Lane: what it is (rows), what was said", LANES, confusion(lanes, LANES)),
            Heat("Type: what it is (rows), what was said", HARMS, confusion(types, HARMS)),
        ),
        curves=(_red_curve(pairs), reliability_curve("Triage: score of red", bins)),
        bars=(Bars("F1 of each type", tuple((score.label, score.f1) for score in of_types if score.count)),),
        wrong=tuple(
            sorted(map(_wrong, filter(_is_wrong, pairs + everyday)), key=lambda wrong: (wrong.truth, wrong.score))
        ),
    )


def _is_red(example: Example) -> bool:
    return example.lane is Lane.RED


def _is_wrong(pair: Pair) -> bool:
    return _said(*pair)[0] != _said(*pair)[1]


def _said(example: Example, said: Judgement) -> tuple[str, str]:
    """Lane and, in red, the services: what a mistake in is worth reading about."""
    truth, answer = example.lane.value, said.lane.value
    if example.lane is said.lane is Lane.RED:
        truth, answer = (f"{truth} {'+'.join(services)}" for services in (example.services[:1], said.services[:1]))
    return truth, answer


def _wrong(pair: Pair) -> Wrong:
    example, said = pair
    return Wrong(*_said(example, said), said.score, " / ".join((*example.earlier, example.text)))


def _classes(title: str, labels: list[tuple[str, str]]) -> Table:
    rows = tuple((score.label, score.count, score.precision, score.recall, score.f1) for score in by_class(labels))
    return Table(title, ("class", "texts", "precision", "recall", "F1"), rows)


def _groups(title: str, pairs: list[Pair], key: Callable[[Example], str]) -> Table:
    rows = []
    for name, group in grouped(pairs, lambda pair: key(pair[0])).items():
        found = measure(group)
        rows.append((
            name, len(group), found["emergency recall"], precision(group), found["harmless called red"],
            found["lane"], found["harm seen"], found["right service"], share(e.type is j.type for e, j in group),
        ))  # fmt: skip
    columns = (
        "",
        "texts",
        "red recall",
        "red precision",
        "harmless called red",
        "lane",
        "harm seen",
        "service",
        "type",
    )
    return Table(title, columns, tuple(rows))


def _red_curve(pairs: list[Pair]) -> Curve:
    points = precision_over_recall([said.score for _, said in pairs], [_is_red(example) for example, _ in pairs])
    return Curve("Triage: red at every threshold", "recall", "precision", tuple(points))
