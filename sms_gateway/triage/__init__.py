"""Which lane, what type, which service, why. Pure: works with Rasa and the database down."""

from .judgement import Harm, Immediacy, Judgement, Lane, Writer, nothing
from .service import Triage, by_words, load

__all__ = ["Harm", "Immediacy", "Judgement", "Lane", "Triage", "Writer", "by_words", "load", "nothing"]
