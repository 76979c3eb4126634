# Recipes; `just` alone lists them. CI runs .ci/run, which needs no `just`.

default:
    @just --list

# Formatting, lints, docs, then all tests (the tidy test among them)
check:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings
    RUSTDOCFLAGS=-Dwarnings cargo doc --workspace --all-features --no-deps
    cargo test --workspace

# All tests, or those that match: `just test split`
test *FILTER:
    cargo test --workspace {{FILTER}}

# The client's engine under a model checker, so many executions of each test: `just model 100000`
model EXECUTIONS="2000":
    RUSTFLAGS="--cfg shuttle" OTLP_MODEL_EXECUTIONS={{EXECUTIONS}} cargo test --target-dir target/model -p otlp-service \
        --no-default-features --features client,grpc,http --lib engine::model

# Criterion benches, optimised as the profile `dist` is: `just bench validate`
bench *FILTER:
    cargo bench -p otlp-benches -- {{FILTER}}

# The terminal session of docs/first-minute.md, recorded anew
first-minute:
    interop/first_minute.py

# The binary that is published: target/dist/otlp
dist:
    cargo build --locked --profile dist --bin otlp

# The order of functions in that binary, by their use: otlp-app/layout.ld. Anew when much code was added (needs valgrind)
layout:
    cargo build --locked --profile dist --bin otlp --target-dir target/layout --config profile.dist.strip=false \
        --config profile.dist.package.otlp-app.strip=false
    dist/layout.py target/layout/dist/otlp

# The same without shared libraries, for any Linux (needs musl-gcc and the target): target/x86_64-unknown-linux-musl/dist/otlp
dist-static:
    rustup target add x86_64-unknown-linux-musl
    CC_x86_64_unknown_linux_musl=musl-gcc cargo build --locked --profile dist --bin otlp --target x86_64-unknown-linux-musl

# Mutated fixtures through every fuzz target, so many seconds each (stable Rust)
fuzz SECONDS="10":
    cargo run --manifest-path fuzz/Cargo.toml --no-default-features --bin smoke -- {{SECONDS}}

# One target under libFuzzer (nightly Rust and cargo-fuzz): `just libfuzzer validate 60`
libfuzzer TARGET SECONDS="60":
    cargo +nightly fuzz run {{TARGET}} -- -max_total_time={{SECONDS}}

# Official SDKs → otlp → OpenTelemetry Collector; `just interop --write` renews docs/interop.md
interop *OPTIONS:
    interop/run {{OPTIONS}}

# Licences, banned and doubled dependencies (cargo-deny; its advisories need a network)
deny:
    cargo deny check bans licenses sources

# Everything CI runs
ci:
    .ci/run
