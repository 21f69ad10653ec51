"""`tadbot-server status`: asks a running server over its own contract."""

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from tadbot.v1 import companion_pb2, companion_pb2_grpc

from server.config import Settings

PATIENCE_S = 3.0


def status(settings: Settings) -> int:
    """Prints whether the server of the settings serves, and its engines. 0 if it does."""
    address = settings.server.listen
    with grpc.insecure_channel(address) as channel:
        try:
            health = health_pb2_grpc.HealthStub(channel)
            answer = health.Check(health_pb2.HealthCheckRequest(), timeout=PATIENCE_S)
        except grpc.RpcError:
            print(f"No server answers on {address}; start one with `tadbot-server serve`.")
            return 1
        if answer.status != health_pb2.HealthCheckResponse.SERVING:
            print(f"The server on {address} is loading its models, or stopping.")
            return 1
        companion = companion_pb2_grpc.CompanionStub(channel)
        said = companion.Describe(companion_pb2.DescribeRequest(), timeout=PATIENCE_S)
    print(f"The server on {address} is serving (version {said.server_version}).")
    for engine in said.engines:
        print(f"  {engine.seam:<15} {engine.name:<15} {engine.model or '-':<30} {engine.device}")
    return 0
