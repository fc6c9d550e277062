from tests.console.conftest import another, console, sign_in, stranger  # noqa: F401
from tests.fuzz.judging import judge  # noqa: F401
from tests.gateway_client import app, gateway, real_logs  # noqa: F401
