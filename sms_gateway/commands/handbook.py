"""`hotline handbook ask "…"`: the candidates for a question, with their scores."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated

import typer

from policy_faq.handbook import Handbook
from sms_gateway.settings import get_settings

app = typer.Typer(help="问答手册", no_args_is_help=True, pretty_exceptions_enable=False)


@lru_cache(maxsize=1)
def shared_handbook() -> Handbook:
    """The handbook of the files in the repo, with its vectors cached under DATA_DIR/models."""
    cache = get_settings().data_dir / "handbook.npz"
    cache.parent.mkdir(parents=True, exist_ok=True)
    return Handbook.load(cache=cache)


@app.command(help="看一句话会得到什么答案")
def ask(question: Annotated[str, typer.Argument(help="问题")]) -> None:
    """Print the answer and the nearest entries."""
    handbook = shared_handbook()
    answer = handbook.answer(question)
    typer.echo(f"{answer.kind}  {answer.score:.2f}\n{answer.text}\n")
    for candidate in handbook.search(question, 5):
        typer.echo(f"  {candidate.score:.2f}  {candidate.entry.id}  {candidate.entry.question}")


@app.callback()
def _parts() -> None:
    """One line of help above the parts."""
