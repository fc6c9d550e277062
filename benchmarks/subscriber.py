"""The subscriber of the push measure: takes a POST, reads it, answers 204."""

from __future__ import annotations

import sys

import uvloop
from aiohttp import web


async def take(request: web.Request) -> web.Response:
    """Read the body, then 204."""
    await request.read()
    return web.Response(status=204)


def main() -> None:
    """`python -m benchmarks.subscriber PORT`."""
    uvloop.install()
    application = web.Application()
    application.router.add_post("/hook", take)
    application.router.add_get("/none", take)
    web.run_app(application, host="127.0.0.1", port=int(sys.argv[1]), access_log=None, print=None)


if __name__ == "__main__":
    main()
