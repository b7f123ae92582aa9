# The two commands of the README:  make demo   make test
# Everything else:                 make help

CARGO ?= $(shell command -v cargo || echo $(HOME)/.cargo/bin/cargo)
TARGET := $(if $(CARGO_TARGET_DIR),$(CARGO_TARGET_DIR),target)
BINARY := $(TARGET)/release/wellspring
VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
PREFIX ?= /usr/local

.PHONY: help
help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST)

.PHONY: setup-build setup-test
setup-build:
	@sh scripts/setup.sh build
setup-test:
	@sh scripts/setup.sh test

.PHONY: build
build: setup-build ## Build the optimised binary
	$(CARGO) build --release --locked -p wellspring

.PHONY: demo
demo: build ## Run a synthetic plate from TIFF files to results (under two minutes once built)
	$(CARGO) build --release --locked -q -p black-box --bin synthetic-plate
	sh scripts/demo.sh $(BINARY) $(TARGET)/release/synthetic-plate

.PHONY: check
check: setup-build ## The fast loop: format, lints, unit tests
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings
	$(CARGO) test --workspace --exclude black-box --lib --locked -q

.PHONY: test
test: setup-test ## Everything that CI runs
	sh scripts/test.sh

.PHONY: soak
soak: setup-test ## The long tests: 2,000 kills (WELLSPRING_SOAK_KILLS, WELLSPRING_SOAK_SEED)
	sh scripts/soak.sh

.PHONY: fuzz
fuzz: setup-build ## Fuzz every target for FUZZ_SECONDS (60), or only those in FUZZ_TARGETS
	sh scripts/fuzz.sh $(or $(FUZZ_SECONDS),60) $(FUZZ_TARGETS)

.PHONY: bench
bench: build ## Measure; needs python3 with scikit-image, h5py and tifffile for the comparison
	sh bench/run.sh $(BINARY)

.PHONY: bench-gpu
bench-gpu: build ## Measure the GPU kernels beside the CPU; GPU=NAME chooses the adapter
	WELLSPRING_BENCH_GPU="$(or $(GPU),auto)" sh bench/run.sh $(BINARY) gpu

.PHONY: deb
deb: build ## Build a Debian package in target/deb
	sh packaging/deb.sh $(BINARY) $(TARGET)/deb $(VERSION)

.PHONY: install
install: build ## Install under PREFIX (default /usr/local); DESTDIR is honoured
	PREFIX=$(PREFIX) DESTDIR=$(DESTDIR) sh packaging/install.sh $(BINARY)

.PHONY: clean
clean: ## Remove what was built
	$(CARGO) clean
