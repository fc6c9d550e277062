"""`hotline handbook …`: check the entries; see what a question is answered with."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Annotated

import typer

from policy_faq.checking import Finding, check_entries, read_files
from policy_faq.entry import ENTRIES
from policy_faq.handbook import Handbook
from policy_faq.ranking import PARTS
from sms_gateway import clock
from sms_gateway.settings import ROOT, get_settings

app = typer.Typer(help="问答手册", no_args_is_help=True, pretty_exceptions_enable=False)

LAWS = ROOT.parent / "shared" / "laws"
"""Where the cited texts lie on a developer's machine; without the folder everything else is still checked."""

PART_NAMES = dict(zip(PARTS, ("问法中心", "最近问法", "短答案", "长答案", "字面"), strict=True))


def vectors_cache() -> Path:
    """Where vectors that are not shipped are kept between runs."""
    cache = get_settings().data_dir / "handbook.npz"
    cache.parent.mkdir(parents=True, exist_ok=True)
    return cache


@lru_cache(maxsize=1)
def shared_handbook() -> Handbook:
    """The handbook of the files in the repo, with its vectors cached under DATA_DIR."""
    return Handbook.load(cache=vectors_cache())


@app.command(help="检查全部问答：格式、来源、日期、长短、重复、好不好读；有错时退出码 1")
def check(
    folder: Annotated[Path, typer.Option(help="问答文件夹")] = ENTRIES,
    laws: Annotated[Path, typer.Option(help="法规原文文件夹；没有就跳过这一项")] = LAWS,
) -> None:
    """Print a line for everything to mend, then one that sums up; exit code 1 when the handbook must not go out so."""
    texts = laws if laws.is_dir() else None
    entries, found = read_files(folder)
    today = clock.shanghai(clock.now()).date()
    found += check_entries(entries, today=today, laws=texts, cache=vectors_cache())
    wrong = [each for each in found if each.serious]
    notes = [each for each in found if not each.serious]
    _list("要改", wrong)
    _list("提醒", notes)
    cited = "条文号已对照法规原文" if texts else "没有法规原文文件夹，条文号没有对照"
    typer.echo(f"{len(entries)} 条问答，{len(wrong)} 处要改，{len(notes)} 处提醒；{cited}。")
    if wrong:
        raise typer.Exit(1)


def _list(heading: str, found: list[Finding]) -> None:
    for each in sorted(found, key=lambda finding: (finding.path, finding.field)):
        typer.echo(f"{heading}  {each}")


@app.command(help="看一句话会得到什么答案，有哪几条备选、各多少分")
def ask(
    question: Annotated[str, typer.Argument(help="问题")],
    count: Annotated[int, typer.Option("--count", "-n", min=1, max=50, help="列几条备选")] = 5,
) -> None:
    """Print the answer, its score against the two thresholds, and the nearest entries part by part."""
    handbook = shared_handbook()
    answer = handbook.answer(question, today=clock.shanghai(clock.now()).date())
    weights = handbook.weights
    kind = {"answer": "直接答", "clarify": "先问是哪一条", "abstain": "不答"}[answer.kind]
    limits = f"满 {weights.answer_from:.2f} 就答，满 {weights.clarify_from:.2f} 先问一句"
    typer.echo(f"{kind}  把握 {answer.score:.2f}（{limits}）\n{answer.text}\n")
    for candidate in handbook.search(question, count):
        entry = candidate.entry
        parts = "  ".join(f"{PART_NAMES[name]} {value:.2f}" for name, value in candidate.parts.items())
        typer.echo(f"  {candidate.score:.2f}  {entry.id}  {entry.question}\n        {parts}")


@app.callback()
def _parts() -> None:
    """One line of help above the parts."""
