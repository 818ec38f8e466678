# Tagwarden's commands. `make` alone lists them.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help run page check test test-core soak bench release screenshots crates

# The tools of packaging/tools.sh first, a stand-in for wasm-opt last.
export PATH := $(shell packaging/tools.sh path):$(PATH):$(CURDIR)/packaging/without-wasm-opt

ARGS ?= demo
TARGET := $(or $(CARGO_TARGET_DIR),target)
PAGE_SOURCES := $(shell find app model style Cargo.toml Cargo.lock Trunk.toml .cargo packaging/tools.sh packaging/shorten.mjs -type f ! -name tagwarden.css)
# Every crate that compiles for this machine. Without default features the app is its pure parts, without Leptos.
NATIVE := --workspace --no-default-features
# The test files that need no program besides this one; in the others every test needs a registry, a browser or time.
CORE := $(filter-out bench commands demo demo_registry e2e faults network packaging program registry schemathesis soak starters truth,$(basename $(notdir $(wildcard tests/tests/*.rs))))

say = printf '\033[1m%s\033[0m\n'

help: ## list the commands
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' Makefile | column -t -s '|'

run: ## build what changed and show the demo; your own registries: make run ARGS="serve --config my.toml"
	@STEP=1/4 packaging/tools.sh app
	@$(MAKE) --no-print-directory STEP=2/4 crates
	@$(MAKE) --no-print-directory STEP=3/4 page
	@if [ ! -x "$(TARGET)/release/tagwarden" ]; then $(say) "4/4 building the server, the first time about 9 minutes on two cores"; fi
	@cargo run --release --locked -p tagwarden -- $(ARGS)

crates:
	@# Asks the network only for what Cargo.lock names and this machine lacks.
	@cargo fetch --locked --offline --quiet 2>/dev/null || { $(say) "$(STEP:%=% )fetching the crates of Cargo.lock, once, about a minute" && cargo fetch --locked; }

page: dist/index.html ## build the page into dist/

dist/index.html: $(PAGE_SOURCES)
	@packaging/tools.sh app
	@$(MAKE) --no-print-directory STEP=$(STEP) crates
	@$(say) "$(STEP:%=% )building the page, the first time about 3 minutes on two cores, later about one and a half"
	@# Trunk takes NO_COLOR for a boolean and fails on NO_COLOR=1.
	@env -u NO_COLOR trunk build --release --offline --locked

check: ## formatting, lints, tidiness
	@packaging/tools.sh rust
	@$(MAKE) --no-print-directory crates
	@$(say) "check: formatting"
	@cargo fmt --all --check
	@$(say) "check: shell scripts"
	@for script in .ci/run packaging/*.sh packaging/without-wasm-opt/wasm-opt; do bash -n "$$script"; done
	@$(say) "check: clippy, for this machine and for the browser"
	@cargo clippy --locked $(NATIVE) --all-targets -- -D warnings
	@cargo clippy --locked -p tagwarden-app --target wasm32-unknown-unknown -- -D warnings
	@$(say) "check: tidy"
	@cargo test --locked --quiet --no-default-features -p tagwarden-tests --test tidy
	@if cargo deny --version >/dev/null 2>&1; then \
	    $(say) "check: licences, bans and sources of all crates" && cargo deny --offline check bans licenses sources; \
	else \
	    $(say) "check: NOT checked: licences and bans of crates, as cargo-deny is not installed (cargo install --locked cargo-deny)"; \
	fi

test: ## everything, with real registries, databases and browser; ends with counts
	@packaging/tools.sh app
	@packaging/tools.sh test
	@$(MAKE) --no-print-directory page
	@packaging/test.sh $(NATIVE)

test-core: ## a quick look on any machine: no browser, no registry, SQLite only
	@packaging/tools.sh rust
	@$(MAKE) --no-print-directory crates
	@packaging/test.sh --core $(NATIVE) --lib --bins $(CORE:%=--test %)

screenshots: ## every page of the demo, light, dark and on a phone, into tests/screenshots; docs/ gets the README's
	@packaging/tools.sh app
	@packaging/tools.sh test
	@$(MAKE) --no-print-directory page
	@cargo run --release --locked -p tagwarden-tests --bin screenshots

soak: ## the long truth and fault runs
	@packaging/tools.sh test
	@cargo test --release --locked -p tagwarden-tests --test soak -- --ignored --nocapture --test-threads 1

release: ## a static program of this machine's kind, its image's context, and lists of what is inside
	@packaging/release.sh build

bench: ## the measurements: speed, CPU, memory, the page and its frames, live readers, each against its target
	@packaging/tools.sh app
	@packaging/tools.sh bench
	@$(MAKE) --no-print-directory page
	@# A thousand readers are as many files, here and in the server.
	@ulimit -Sn 4096; cargo test --release --locked -p tagwarden-tests --test bench -- --ignored --nocapture --test-threads 1
