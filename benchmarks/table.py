"""The newest results as a table: on the terminal, and in README between its marks `<!-- bench -->` and `<!-- /bench -->`."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from sms_gateway.settings import ROOT

from .results import Row, read

README = ROOT / "README.md"
BEGIN, END = "<!-- bench -->", "<!-- /bench -->"
HOLDS = {True: "yes", False: "**no**", None: ""}


class NoPlaceForTable(Exception):
    """README has not exactly one pair of marks."""


def shown(value: float) -> str:
    """A number as people read it: no exponent, no needless digits."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def target_of(row: Row) -> str:
    """`≤ 2`, or nothing."""
    return "" if row.target is None else f"{'≤' if row.better == 'lower' else '≥'} {shown(row.target)}"


def as_rich(rows: Sequence[Row]) -> Table:
    """For the terminal."""
    table = Table("area", "measure", "value", "unit", "target", "holds")
    for row in rows:
        table.add_row(row.area, row.name, shown(row.value), row.unit, target_of(row), HOLDS[row.holds].strip("*"))
    return table


def as_markdown(rows: Sequence[Row]) -> str:
    """For README."""
    lines = ["| measure | value | target | holds |", "| --- | ---: | ---: | --- |"]
    lines += [f"| {row.name} | {shown(row.value)} {row.unit} | {target_of(row)} | {HOLDS[row.holds]} |" for row in rows]
    return "\n".join(lines)


def with_table(text: str, table: str) -> str:
    """`text` with what stands between its two marks replaced. Raises NoPlaceForTable."""
    before, begun, rest = text.partition(BEGIN)
    _old, ended, after = rest.partition(END)
    if not begun or not ended or text.count(BEGIN) != 1 or text.count(END) != 1:
        raise NoPlaceForTable(f"README.md needs one {BEGIN} and one {END} after it, the table goes between them.")
    return f"{before}{BEGIN}\n{table}\n{END}{after}"


def main() -> None:
    """Copy the newest results into README (`make bench-table`)."""
    try:
        README.write_text(with_table(README.read_text(encoding="utf-8"), as_markdown(read())), encoding="utf-8")
    except (NoPlaceForTable, FileNotFoundError) as error:
        raise SystemExit(str(error)) from None


if __name__ == "__main__":
    main()
