"""The peers of the webhook measures: a bare FastAPI endpoint that does one insert, and one that does nothing, on our engine and server."""

from __future__ import annotations

import sys

import uvicorn
from fastapi import FastAPI, Request, Response
from sqlalchemy import BigInteger, Column, LargeBinary, MetaData, Table, insert

from sms_gateway.database import engine

texts = Table(
    "bench_texts", MetaData(), Column("id", BigInteger, primary_key=True), Column("body", LargeBinary, nullable=False)
)

app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)


@app.post("/text")
async def receive(request: Request) -> Response:
    """Store the body, then 200."""
    body = await request.body()
    async with engine().begin() as connection:
        await connection.execute(insert(texts).values(body=body))
    return Response(b"ok", media_type="text/plain")


@app.post("/receipt")
async def answer(request: Request) -> Response:
    """Read the body, then 200."""
    await request.body()
    return Response(b"ok", media_type="text/plain")


def main() -> None:
    """`python -m benchmarks.bare PORT`: the settings of `sms_gateway.processes._serve`."""
    uvicorn.run(
        app, host="127.0.0.1", port=int(sys.argv[1]), access_log=False, log_config=None, server_header=False,
        proxy_headers=True, forwarded_allow_ips="127.0.0.1", timeout_graceful_shutdown=3,
    )  # fmt: skip


if __name__ == "__main__":
    main()
