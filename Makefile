# tcap: `make help` says what there is. Everything here is also a plain command that can be typed.
.DEFAULT_GOAL := help
SHELL := /bin/bash

GO  ?= go
NPM := $(shell command -v npm 2>/dev/null)

.PHONY: help demo test race lint generate generate-templ generate-css generate-openapi verify soak bench

help: ## Show this
	@awk -F ':.*## ' '/^[a-z%-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## Run everything in one process, with a sample operator and a simulated Microsoft 365
	$(GO) run ./cmd/tcap demo

test: ## Run every test (installs PostgreSQL and Chromium where missing and allowed); see docs/test-budget.md
	$(GO) run ./test/run

test-%: ## Run one part: lint generated unit postgres browser e2e fuzz
	$(GO) run ./test/run $*

race: ## Run the unit tests under the race detector (slow; needs a C compiler)
	$(GO) test -race $$($(GO) list ./... | grep -v -e /test/ -e /bench)

lint: test-lint ## Build, gofmt, vet, staticcheck and the rules of the house

generate: generate-templ generate-css generate-openapi ## Generate pages, stylesheet and API document into place

# Folder by folder, parents first: a generated file then names its template alone, wherever it was generated from.
generate-templ:
	@for d in $$(find internal -name '*.templ' -printf '%h\n' 2>/dev/null | sort -u); do \
	  $(GO) tool templ generate -path $$d -log-level error || exit 1; done

# The stylesheet is committed, so that building the binary needs Go alone; without npm it stays as it is.
generate-css:
ifeq ($(NPM),)
	@echo "npm is not installed: the stylesheet stays as it is" >&2
else
	@if [ -f web/build.mjs ]; then $(MAKE) --no-print-directory web/node_modules/.package-lock.json && npm --prefix web run --silent build; fi

# Not `npm ci`: it refuses a lock without the other platforms' optional packages, and not every registry has those.
web/node_modules/.package-lock.json: web/package-lock.json
	npm --prefix web install --no-save --ignore-scripts --silent --no-audit --no-fund
	@touch $@
endif

# Written through a second file: a command that fails must not leave half a document.
generate-openapi:
	@if [ -d cmd/tcap ]; then set -e; tmp=$$(mktemp); trap 'rm -f '$$tmp EXIT; \
	  $(GO) run ./cmd/tcap openapi > $$tmp; cat $$tmp > docs/openapi.json; fi

verify: test-generated ## Generate again and fail where anything differs from what is committed

soak: ## Run the long tests: hours of load, restarts and faults, and each fuzz target for a minute
	TCAP_SOAK=1 $(GO) test -count=1 -timeout=4h ./internal/domain/... ./internal/engine/... ./test/e2e/...
	@if [ -d test/soak ]; then TCAP_SOAK=1 $(GO) test -count=1 -v -timeout=4h ./test/soak/...; fi
	TCAP_FUZZ_TIME=1m $(GO) run ./test/run fuzz

bench: ## Measure, and compare with the peers and floors in bench/
	@if [ -d bench ]; then $(GO) test -run '^$$' -bench . -benchmem ./bench/...; else echo "no bench/ yet" >&2; fi
