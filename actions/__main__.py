"""`python -m actions`: the action server, one process, on loopback, at the port of `HOTLINE_ACTIONS_URL`."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

from sms_gateway import logs
from sms_gateway.settings import get_settings

from . import handbook
from .server import make_app


def main() -> None:
    """Serve until told to stop. Ends with one sentence when there is no secret."""
    settings = get_settings()
    if settings.bot_secret is None:
        raise SystemExit("没有 HOTLINE_BOT_SECRET：用 make run 启动会自带。")
    logs.configure("actions")
    handbook.handbook()  # now, so that the first question need not wait for it
    address = urlsplit(settings.actions_url)
    app = make_app(settings.bot_secret.get_secret_value())
    host = os.environ.get("SANIC_HOST", "127.0.0.1")
    app.run(host=host, port=address.port or 5055, single_process=True, access_log=False, motd=False, debug=False)


if __name__ == "__main__":
    main()
