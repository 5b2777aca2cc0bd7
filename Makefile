# Everything a newcomer types: `make demo` shows the product, `make test` proves it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

# The tests start thousands of Python processes: what one has compiled, the next need not.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo test check fast slow thorough format schemas lock wheel airgap clean

help:
	@echo "make demo     a simulated fleet, a sweep over real SSH, a summary, the end of a node that panicked, a page of all"
	@echo "make test     format, lint, types, import contracts, generated files, the tests of the gate"
	@echo "make check    all of that without the tests"
	@echo "make fast     the quick tests; make slow: the ones that start real components"
	@echo "make thorough every test, and what they try at some places at all of them: before a release"
	@echo "make format   rewrite the code in the house format"
	@echo "make schemas  write the generated files; make lock: pin dependencies; make wheel: build"
	@echo "make airgap   gather the wheels for x86-64 and aarch64 that install sparkctl where there is no network"

demo: $(STAMP)
	@$(BIN)/sparkctl demo

test: system check fast slow

check: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/mypy --python-version 3.10 diag
	$(BIN)/lint-imports
	$(BIN)/sparkctl schema export --check

fast: $(STAMP)
	$(BIN)/pytest -n auto -m "not slow and not thorough"

# What a file of these tests starts, it starts once: they stay together.
slow: $(STAMP)
	$(BIN)/pytest -n auto --dist loadfile -m "slow and not thorough"

format: $(STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

schemas: $(STAMP)
	$(BIN)/sparkctl schema export
	$(BIN)/sparkctl help --man > docs/sparkctl.1.new && mv docs/sparkctl.1.new docs/sparkctl.1

# What the tests need beside Python: an OpenSSH server, a second shell, visudo, network namespaces, faketime, journalctl, cron,
# what docs/evidence-format.md checks a bundle with, a browser for pages, a bus and sos for reports, tools to make and sign
# packages, receivers for what is sent and exported, a TPM emulator and its tools, and nvme-cli, over which a test puts a
# stand-in of its own; cloud-init, grub's checker and tools for images of disks; what makes mirrors, and what proves them.
# Without root the tests that need them skip, loudly.
.PHONY: system
system:
	@sh .ci/system-packages openssh-server fish zsh sudo iproute2 mount faketime systemd cron jq zstd openssl mandoc \
		chromium rsyslog rsyslog-openssl prometheus nginx-light dbus sosreport dpkg-dev gnupg util-linux swtpm tpm2-tools \
		nvme-cli e2fsprogs cloud-init xorriso mtools grub-common netplan.io debmirror aptly apt-utils curl git \
		skopeo docker-registry fwupd jcat gcab gpgv

# What the gate tries at some places, at all of them.
thorough: $(STAMP)
	SPARKCTL_THOROUGH=1 $(BIN)/pytest -n auto --dist loadfile

# Dependencies come from the lock file with their hashes; the project itself is linked in place.
$(STAMP): pyproject.toml .ci/requirements.txt
	@sh .ci/venv "$(PYTHON)" "$(VENV)"
	@touch $(STAMP)

lock: $(STAMP)
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate --python-version 3.11 \
		--group dev pyproject.toml --output-file .ci/requirements.txt

wheel: $(STAMP)
	$(BIN)/python -m build --no-isolation --wheel

airgap: $(STAMP)
	$(BIN)/python .ci/airgap dist/airgap

clean:
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache
