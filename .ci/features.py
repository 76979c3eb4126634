"""Reads `cargo metadata`, and writes which features of which crate are checked: a crate and the options of cargo a line.

Each library is checked with no feature, with each feature alone and with all. A feature that only passes on to a crate of the
workspace, and that no source names, changes nothing in its own crate: the crate that has the feature checks that, both alone and
beside all that the gateway has of that crate.
"""

import json
import pathlib
import re
import sys

# What the gateway has of otlp-transport whatever its features are.
BESIDE = {"otlp-transport": ["client", "grpc", "http", "server"]}


def main():
    for package in json.load(sys.stdin)["packages"]:
        if package["publish"] is not None:
            continue
        name, features = package["name"], package["features"]
        named = names(pathlib.Path(package["manifest_path"]).parent / "src")
        alone = [each for each in sorted(features) if each != "default" and not passes_on(each, features, named)]
        beside = BESIDE.get(name, [])
        # Those that bring the others along are not encodings or the like, and have all of them already.
        further = [each for each in features.get("default", []) if beside and each not in beside]
        print(name, "--no-default-features")
        for chosen in (*alone, *(",".join([*beside, each]) for each in further)):
            print(name, "--no-default-features --features", chosen)
        print(name, "--all-features")


def passes_on(feature, features, named):
    return feature not in named and all(each.startswith("otlp-") and "/" in each for each in features[feature])


def names(directory):
    """The features in the conditions of a library, without those of tests."""
    sources = [path for path in directory.rglob("*.rs") if "tests" not in path.relative_to(directory).with_suffix("").parts]
    return {each for path in sources for each in re.findall(r'feature = "([^"]+)"', path.read_text())}


main()
