"""Sends a profiles request from a file to every endpoint named: no SDK sends profiles yet."""

import argparse
import gzip
import pathlib
import sys
import urllib.request

import grpc
from opentelemetry.proto.collector.profiles.v1development.profiles_service_pb2 import (
    ExportProfilesServiceRequest,
    ExportProfilesServiceResponse,
)

GRPC_METHOD = "/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export"
HTTP_PATH = "/v1development/profiles"
TIMEOUT_SECONDS = 20


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--file", type=pathlib.Path, required=True, help="an encoded ExportProfilesServiceRequest")
    parser.add_argument("--run", required=True)
    parser.add_argument("--protocol", choices=["grpc", "http/protobuf"], required=True)
    parser.add_argument("--compression", choices=["none", "gzip"], required=True)
    parser.add_argument("--endpoints", required=True, help="comma-separated host:port; the request goes to each")
    options = parser.parse_args()
    request = ExportProfilesServiceRequest.FromString(options.file.read_bytes())
    for resource_profiles in request.resource_profiles:
        resource_profiles.resource.attributes.add(key="interop.run").value.string_value = options.run
    post = over_grpc if options.protocol == "grpc" else over_http
    for endpoint in options.endpoints.split(","):
        try:
            response = post(endpoint, request.SerializeToString(), options.compression == "gzip")
        except grpc.RpcError as error:
            sys.exit(f"{endpoint}: {error.code().name}: {error.details()}")
        if response.partial_success.rejected_profiles or response.partial_success.error_message:
            sys.exit(f"{endpoint} answered {response}")
    print("sent")


def over_grpc(endpoint, body, compressed):
    with grpc.insecure_channel(endpoint) as channel:
        export = channel.unary_unary(
            GRPC_METHOD, request_serializer=bytes, response_deserializer=ExportProfilesServiceResponse.FromString
        )
        compression = grpc.Compression.Gzip if compressed else grpc.Compression.NoCompression
        return export(body, timeout=TIMEOUT_SECONDS, compression=compression)


def over_http(endpoint, body, compressed):
    headers = {"Content-Type": "application/x-protobuf"}
    if compressed:
        body, headers["Content-Encoding"] = gzip.compress(body), "gzip"
    request = urllib.request.Request(f"http://{endpoint}{HTTP_PATH}", body, headers, method="POST")
    with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:
        return ExportProfilesServiceResponse.FromString(answer.read())


if __name__ == "__main__":
    main()
