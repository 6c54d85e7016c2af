# The gate: everything a change must pass.
default: test

# All tests, as CI runs them.
test:
    tests/run

# Everything, the long campaigns too.
full:
    tests/run --full

# Formatting and lints only.
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings

# The main job: three organizations, one revocation felt everywhere.
demo *ARGS:
    cargo run --release -- demo {{ARGS}}

# Speed, beside the limits.
bench:
    cargo bench -p syndic-vc --features linked-data
    cargo bench -p syndic-registry

# Replay one simulated seed with its trace.
seed SEED:
    SYNDIC_SEED={{SEED}} cargo test -p syndic-registry --test simulation -- --nocapture
