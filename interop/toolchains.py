"""Builds the gateway, the Collector and the senders, each once, into `.work/`."""

import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

from processes import PeerError

HERE = pathlib.Path(__file__).resolve().parent
WORK = HERE / ".work"
BUILD_SECONDS = 1800
BUILDER = "go.opentelemetry.io/collector/cmd/builder@v"
H2SPEC = "github.com/summerwind/h2spec/cmd/h2spec@v2.2.1+incompatible"


class Missing(PeerError):
    """A toolchain is not on this machine."""


def gateway():
    """The `otlp` binary: INTEROP_OTLP, or a debug build of this tree."""
    if given := os.environ.get("INTEROP_OTLP"):
        return given
    command = ["cargo", "build", "-p", "otlp-app", "--bin", "otlp", "--message-format", "json-render-diagnostics"]
    for line in run(command, HERE.parent).splitlines():
        if executable := json.loads(line).get("executable"):
            return executable
    raise PeerError("cargo built no executable")


def collector():
    """The Collector: INTEROP_COLLECTOR, or made by its own builder from `collector/builder.yaml`."""
    if given := os.environ.get("INTEROP_COLLECTOR"):
        return given
    return collector_of(HERE / "collector" / "builder.yaml", WORK / "collector" / "otelcol-interop")


def components(component):
    """The Collector for a component of `components/`: INTEROP_COMPONENTS, or made from `collector/COMPONENT.yaml` or, for most, from
    `collector/components.yaml`. Where a file of the component's name exists, INTEROP_COMPONENT, in upper case, names a ready one."""
    recipe = HERE / "collector" / f"{component}.yaml"
    name = component if recipe.exists() else "components"
    if given := os.environ.get(f"INTEROP_{name.upper()}"):
        return given
    return collector_of(recipe.with_name(f"{name}.yaml"), WORK / name / f"otelcol-{name}")


def collector_of(recipe, made):
    text, stub = recipe.read_text(), recipe.parent / "detectors"
    builder = BUILDER + re.search(r"^  version: (\S+)$", text, re.MULTILINE)[1]

    def build():
        for name in re.findall(r"=> \.\./detectors/(\S+)$", text, re.MULTILINE):
            shutil.copytree(stub, WORK / "detectors" / name, dirs_exist_ok=True)
        # Each release of the Collector is built by its own builder.
        run(["go", "install", builder], HERE, {"GOBIN": str(WORK / "bin")})
        run([str(WORK / "bin" / "builder"), "--config", recipe.name], recipe.parent)

    once(made, [recipe, *sorted(stub.iterdir())], builder, build, "go")
    return str(made)


def go_sender():
    made = WORK / "interop-go"
    need("go")
    run(["go", "build", "-o", str(made), "."], HERE / "go")
    return [str(made)]


def java_sender():
    need("javac")
    need("mvn")
    project, made = HERE / "java", WORK / "java"
    sources = [project / "pom.xml", *sorted((project / "src").rglob("*.java"))]
    main = made / "classes" / "interop" / "Main.class"
    once(main, sources, "", lambda: run(["mvn", "-q", "-B", "clean", "process-classes"], project), "java")
    # A process of a second or two gains nothing from the optimizing compiler.
    options = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]
    return ["java", *options, "-cp", f"{made / 'classes'}:{made / 'lib' / '*'}", "interop.Main"]


def javascript_sender():
    made = WORK / "javascript"
    made.mkdir(parents=True, exist_ok=True)
    for source in (HERE / "javascript").iterdir():
        shutil.copy(source, made)
    manifests = [made / "package.json", made / "package-lock.json"]
    need("npm")
    installed = made / "node_modules" / ".package-lock.json"
    once(installed, manifests, "", lambda: run(["npm", "ci", "--ignore-scripts", "--silent"], made), "node")
    return ["node", str(made / "client.js")]


def python_sender(script, *options):
    """A script of `python/` in a virtual environment with the pinned packages."""
    venv, requirements = WORK / "venv", HERE / "python" / "requirements.txt"
    python = venv / "bin" / "python"

    def build():
        run([sys.executable, "-m", "venv", "--clear", str(venv)], HERE)
        run([str(python), "-m", "pip", "install", "-q", "-r", str(requirements)], HERE)

    once(python, [requirements], sys.version, build, "python3")
    return [str(python), str(HERE / "python" / script), *options]


def rust_sender():
    return [rust_program("interop-rust")]


def rust_program(name):
    """A program of `rust/`. In CI it shares cargo's folder, where many of its dependencies are built already."""
    directory = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", WORK / "rust")).absolute()
    run(["cargo", "build", "-q", "--locked"], HERE / "rust", {"CARGO_TARGET_DIR": str(directory)})
    return str(directory / "debug" / name)


def go_refused():
    made = WORK / "interop-refused"
    need("go")
    run(["go", "build", "-o", str(made), "./refused"], HERE / "go")
    return [str(made)]


def node_refused():
    need("node")
    return ["node", str(HERE / "javascript" / "refused.js")]


def curl():
    need("curl")
    if "HTTP2" not in run(["curl", "--version"], HERE):
        raise Missing("no `curl` with HTTP/2 on this machine")
    return ["curl"]


def h2spec():
    made = WORK / "bin" / "h2spec"
    once(made, [], H2SPEC, lambda: run(["go", "install", H2SPEC], HERE, {"GOBIN": str(WORK / "bin")}), "go")
    return str(made)


def once(made, sources, extra, build, tool):
    """Builds unless `made` is there and came from the same sources."""
    need(tool)
    stamp = WORK / f"{made.name}.stamp"
    want = hashlib.sha256(b"".join(s.read_bytes() for s in sources) + extra.encode()).hexdigest()
    if made.exists() and stamp.exists() and stamp.read_text() == want:
        return
    build()
    stamp.write_text(want)


def need(tool):
    if not shutil.which(tool):
        raise Missing(f"no `{tool}` on this machine")


def run(command, directory, extra=None):
    """Its standard output; an error with the end of its complaint if it fails."""
    need(command[0])
    try:
        done = subprocess.run(
            command,
            cwd=directory,
            env=os.environ | (extra or {}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=BUILD_SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise PeerError(f"{' '.join(command)}: not done after {BUILD_SECONDS} s") from None
    if done.returncode:
        raise PeerError(f"{' '.join(command)}: {done.stderr.strip()[-3000:]}")
    return done.stdout
