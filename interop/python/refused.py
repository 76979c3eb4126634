"""Calls a gRPC method again and again, each time over a connection of its own, and prints the status of each answer."""

import sys

import grpc

TIMEOUT_SECONDS = 15
OWN_CONNECTION = [("grpc.use_local_subchannel_pool", 1)]


def main():
    endpoint, method, size, times = sys.argv[1:]
    for _ in range(int(times)):
        with grpc.insecure_channel(endpoint, OWN_CONNECTION) as channel:
            call = channel.unary_unary(method, request_serializer=bytes, response_deserializer=bytes)
            try:
                call(bytes(int(size)), timeout=TIMEOUT_SECONDS)
                print("OK")
            except grpc.RpcError as error:
                print(error.code().name)


if __name__ == "__main__":
    main()
