from tests.gateway_client import app, gateway, real_logs

__all__ = ["app", "gateway", "real_logs"]
