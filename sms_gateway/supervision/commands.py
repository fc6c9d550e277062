"""The commands that look after the machine: run, stop, reset, doctor, setup, train."""

from __future__ import annotations

from typing import Annotated

import typer


def run() -> None:
    """Start everything; Ctrl-C stops all of it."""
    from .start import run as start

    raise typer.Exit(start())


def stop() -> None:
    """Stop what holds this DATA_DIR."""
    from .start import stop as end

    raise typer.Exit(end())


def reset(sure: Annotated[bool, typer.Option("--yes", help="不问，直接删")] = False) -> None:
    """Delete everything this DATA_DIR holds."""
    from .start import reset as clear

    raise typer.Exit(clear(sure=sure))


def doctor() -> None:
    """Say what is missing; exit code 1 when something is."""
    from .doctor import examine

    raise typer.Exit(examine())


def setup() -> None:
    """Train the assistant when its data has changed."""
    _train(quiet=True)


def train() -> None:
    """Train the assistant when its data has changed, and say where the model lies."""
    _train(quiet=False)


def _train(*, quiet: bool) -> None:
    from sms_gateway.settings import get_settings

    from .bot_model import TrainingFailed, trained_model
    from .places import DataDir

    try:
        model = trained_model(DataDir.at(get_settings().data_dir))
    except TrainingFailed as error:
        typer.echo(f"✗ {error}", err=True)
        raise typer.Exit(1) from None
    if not quiet:
        typer.echo(str(model))
