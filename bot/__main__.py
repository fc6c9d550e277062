"""`python -m bot …` is `rasa …` with the settings it must never run without.

No reports to outside services, one thread for the encoder, no texts in logs, no colours; all before Rasa is imported.
"""

from __future__ import annotations

import os
import sys

_FIXED = {
    "RASA_TELEMETRY_ENABLED": "false",
    "OMP_NUM_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "CUDA_VISIBLE_DEVICES": "-1",
    "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
}


def main() -> None:
    """Run Rasa's command line. `run` also keeps texts out of everything it prints."""
    os.environ.update(_FIXED)
    if sys.argv[1:2] == ["run"]:
        from . import quiet

        quiet.keep_texts_out()
    from rasa.__main__ import main as rasa

    sys.argv[0] = "rasa"
    rasa()


if __name__ == "__main__":
    main()
