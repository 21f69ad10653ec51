"""The gRPC edge: one file a service. With `server.__main__` the only place that imports grpc."""
