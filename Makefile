# breakglass: `make` lists the targets. Go and make are all that has to be there.

GOLANGCI_VERSION := v2.15.0
# A linter refuses code newer than the Go that it was built with, so it is built anew with each.
GOLANGCI := .tools/golangci-lint-$(GOLANGCI_VERSION)-$(shell go env GOVERSION 2>/dev/null)

# The first of these programs that is there. Some shells' command -v looks at one name only.
first = $(firstword $(foreach name,$(1),$(shell command -v $(name) 2>/dev/null)))

# The race detector needs a C compiler; the tests themselves do not.
RACE = $(if $(call first,$(firstword $(shell go env CC 2>/dev/null))),-race)
CHROMIUM = $(call first,chromium chromium-browser google-chrome)
PYTHON = $(call first,python3)
TEST_TIMEOUT ?= 20m

.DEFAULT_GOAL := help
.PHONY: help demo test fuzz torture screenshots lint fmt build bench tidy clean go postgres

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: go postgres ## play the whole story here, with stand-ins for Slack, AWS and the rest; STORY=hot-patch plays another kind, STAY=1 leaves it running for you to use
	@go run ./cmd/breakglass demo $(if $(STORY),--story '$(STORY)') $(if $(STAY),--stay)

# The race detector would have every program wait for a second before it ends, and a
# collector that runs less often leaves more of the processor to the tests. `make lint` vets.
test: go postgres ## run every test
	@$(if $(RACE),,echo "No C compiler was found, so the tests run without the race detector.")
	@$(if $(CHROMIUM),,echo "No Chromium was found, so the tests that see the local workspace in a browser are left out.")
	@$(if $(PYTHON),,echo "No python3 was found, so the page of Python that verifies an export is not compared with the program.")
	@$(if $(RACE),CGO_ENABLED=1) GOGC=400 GORACE="atexit_sleep_ms=0 $$GORACE" go test $(RACE) -vet=off -shuffle=on -timeout $(TEST_TIMEOUT) ./...

fuzz: go ## fuzz everything that parses what comes from outside, each target for FOR=10s
	@.ci/fuzz $(or $(FOR),10s)

# The fuzz targets come last, each for a minute, and not where one seed is repeated.
torture: go postgres ## kill the program again and again for FOR=20m, from seed to seed, then fuzz; SEED=… repeats one, PART=… plays one part
	@status=0; \
	if [ "$(PART)" != fuzz ]; then \
		TORTURE_FOR=$(FOR) TORTURE_SEED=$(SEED) TORTURE_PART=$(PART) \
			go test -tags torture -count=1 -timeout 0 -run '^TestTorture$$' -v ./cmd/breakglass || status=1; \
	fi; \
	if [ "$(PART)" = fuzz ] || [ -z "$(PART)$(SEED)" ]; then .ci/fuzz 60s || status=1; fi; \
	exit $$status

screenshots: go postgres ## take the pictures of the README anew, by the tests that see the pages in a browser
	@$(if $(CHROMIUM),,echo "Chromium is needed." >&2; exit 1)
	@folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && \
		BREAKGLASS_SCREENSHOTS=$$folder go test -count=1 -run '^(TestTheTourIsPlayedInABrowser|TestTheReportFitsItsWindow)$$' ./cmd/breakglass ./internal/report && \
		for picture in workspace form approval report; do install -D -m 644 "$$folder/readme-$$picture.png" docs/images/$$picture.png || exit 1; done

lint: go $(GOLANGCI) ## vet and lint; the linter is built once, into .tools
	@go vet ./...
	@$(GOLANGCI) run ./...

fmt: go $(GOLANGCI) ## format the code
	@$(GOLANGCI) fmt ./...

build: go ## build bin/breakglass, static
	@CGO_ENABLED=0 go build -trimpath -o bin/breakglass ./cmd/breakglass

bench: go postgres ## measure how fast it is, as ratios in one run; PART=… measures one part
	@BENCH_PART=$(PART) go test -tags bench -count=1 -timeout 0 -run '^TestBench$$' -v ./cmd/breakglass

tidy: go ## bring go.mod and go.sum up to date
	@go mod tidy

clean: ## remove what make has built
	@rm -rf bin .tools

go:
	@command -v go >/dev/null || { echo "Go is needed: https://go.dev/doc/install" >&2; exit 1; }

postgres:
	@.ci/postgres

# Built with the toolchain that this module asks for.
$(GOLANGCI):
	@$(MAKE) --no-print-directory go
	@echo "Building golangci-lint $(GOLANGCI_VERSION), once; this takes a minute or two."
	@toolchain=$$(go env GOVERSION) && GOBIN=$(CURDIR)/.tools GOTOOLCHAIN=$$toolchain GOFLAGS= \
		go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)
	@mv .tools/golangci-lint $@
