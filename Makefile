# The one entry point. `make` prints what there is; every recipe is one line, and its logic is in scripts/.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules --no-print-directory

# What runs the stack: auto, docker, podman or embedded.
ENGINE ?= auto
# One service (services-api, content-api); all when empty. SERVICE_NAME is another name for it.
SERVICE ?= $(SERVICE_NAME)
# text or json, for status, doctor and db-migrate-status.
FORMAT ?= text
# Migrations to revert.
N ?= 1
# 1 answers the question of what deletes or reverts (down --volumes, db-reset, db-recreate, db-undo, db-migrate-down).
YES ?=
# More arguments: for logs (-f), psql (-c 'select 1') and test (a file).
ARGS ?=
# A new migration's type (db-generate), the environment of seeds (db-seed), and 1 to load them at each up.
TYPE ?= empty
ENV ?=
SEED ?=
# 1 for what the last start spent its time on (status).
TIMELINE ?=
# What test-engines runs on: docker, podman, podman-compose (commas between).
ENGINES ?= docker,podman
# The commands read these, so that no value is ever a part of a shell line.
export ENGINE SERVICE FORMAT OFFLINE TYPE ENV SEED TIMELINE N YES
# As typed: a $ or a backslash in them is the program's. The name only from make's own command line: some systems have a
# NAME of the machine in the environment.
export LOCKSTEP_ARGS := $(value ARGS)
export LOCKSTEP_NAME := $(if $(filter command,$(origin NAME)),$(value NAME))
# Profiles of compose.yaml, commas between. For good: COMPOSE_PROFILES in .env.
PROFILE =
ifneq ($(PROFILE),)
export COMPOSE_PROFILES := $(PROFILE)
endif

# Every Node that starts reads all of these certificates first, which can take longer than the rest of its start; only npm needs them.
unexport NODE_EXTRA_CA_CERTS
node_modules/.package-lock.json: export NODE_EXTRA_CA_CERTS := $(NODE_EXTRA_CA_CERTS)

STACK := node scripts/dist/stack.js
SOURCES := $(filter-out %.test.ts,$(shell find $(wildcard */src) -name '*.ts' 2>/dev/null)) scripts/build.mjs $(wildcard scripts/build/*) tsconfig.json

##@ The stack
.PHONY: up watch down status logs why shell doctor
up: scripts/dist/.built ## Start the stack and wait until all is ready (again: only what changed)
	@$(STACK) up
watch: scripts/dist/.built ## Start the stack; then migrate and reload whenever a file changes
	@$(STACK) watch
down: scripts/dist/.built ## Stop the stack; the databases are kept
	@$(STACK) down
status: scripts/dist/.built ## Show what each service is at (FORMAT=json; TIMELINE=1: what the last start spent its time on)
	@$(STACK) status
logs: scripts/dist/.built ## Print the services' output (SERVICE=, ARGS=-f)
	@$(STACK) logs --words "$$LOCKSTEP_ARGS" $(if $(SERVICE),"$$SERVICE")
why: scripts/dist/.built ## Show again why a service failed when it was last started (SERVICE=)
	@$(STACK) why $(if $(SERVICE),"$$SERVICE")
shell: scripts/dist/.built ## Open a shell inside a service's container (SERVICE=services-api)
	@$(STACK) shell -- --words "$$LOCKSTEP_ARGS"
doctor: scripts/dist/.built ## Look at this machine and at compose.yaml, and say what to do (FORMAT=json)
	@$(STACK) doctor

##@ Databases
.PHONY: psql db-migrate-up db-migrate-down db-migrate-status db-generate db-validate db-verify db-deps db-rehearse db-seed db-docs db-recreate db-undo db-reset
psql: scripts/dist/.built ## Open psql on a service's database (SERVICE=services-api)
	@$(STACK) psql -- --words "$$LOCKSTEP_ARGS"
db-migrate-up: scripts/dist/.built ## Apply what is pending (SERVICE=)
	@$(STACK) migrate up
db-migrate-down: scripts/dist/.built ## Revert the last migration, or the last N; asks first (SERVICE=, N=1, YES=1)
	@$(STACK) migrate -- down "$$N"
db-migrate-status: scripts/dist/.built ## Show what is applied and pending (SERVICE=, FORMAT=json)
	@$(STACK) migrate status
db-generate: scripts/dist/.built ## Write a new migration of a service (NAME=, SERVICE=, TYPE=table, ARGS='--column …')
	@$(STACK) generate -- "$$LOCKSTEP_NAME" --words "$$LOCKSTEP_ARGS"
db-validate: scripts/dist/.built ## Judge every migration file by Postgres' own parser and our rules (SERVICE=, FORMAT=json, ARGS=--strict)
	@$(STACK) validate -- --words "$$LOCKSTEP_ARGS"
db-verify: scripts/dist/.built ## Compare each schema with what its migrations make (SERVICE=, FORMAT=json)
	@$(STACK) migrate verify
db-deps: scripts/dist/.built ## Show in which order the services' migrations run, and who needs whom (ARGS=--mermaid)
	@$(STACK) deps -- --words "$$LOCKSTEP_ARGS"
db-rehearse: scripts/dist/.built ## Measure each statement on a scratch copy (SERVICE=, ARGS='--all --rows services=10000')
	@$(STACK) migrate rehearse --words "$$LOCKSTEP_ARGS"
db-seed: scripts/dist/.built ## Load seed data, again and again with the same result (SERVICE=, ENV=development, ARGS=--dry-run)
	@$(STACK) migrate seed $(if $(ENV),--environment "$$ENV") --words "$$LOCKSTEP_ARGS"
db-docs: scripts/dist/.built ## Write each service's page of its schema and migrations, migrations/docs/schema.md (SERVICE=)
	@$(STACK) docs
db-recreate: scripts/dist/.built ## Build each database anew beside the old one and swap; the old one is kept; asks first (SERVICE=, YES=1)
	@$(STACK) migrate recreate
db-undo: scripts/dist/.built ## Bring back the previous database of the last recreate; asks first (SERVICE=, YES=1)
	@$(STACK) migrate undo
db-reset: scripts/dist/.built ## DELETE every volume (all databases and credentials) and start anew; asks first (YES=1)
	@$(STACK) reset

##@ Work on the project
.PHONY: service images test check
service: scripts/dist/.built ## Add a service to the stack (NAME=billing-api, ARGS=--dry-run)
	@$(STACK) service --words "$$LOCKSTEP_ARGS" -- "$$LOCKSTEP_NAME"
images: scripts/dist/.built ## Build the images for docker or podman (OFFLINE=1: without a registry)
	@$(STACK) images --words "$$LOCKSTEP_ARGS"
test: scripts/dist/.built ## Run every test: pure ones, on real Postgres servers, on the whole stack (ARGS=file)
	@$(STACK) exec -- npm test --silent -- --words "$$LOCKSTEP_ARGS"
test-engines: scripts/dist/.built ## Run the stack's tests on container engines (ENGINES=docker,podman); says what is missing
	@$(STACK) exec -- npm test --silent -- --project docker --project 'podman*' --words "$$LOCKSTEP_ARGS"
test-engines: export LOCKSTEP_ENGINES = $(ENGINES)
check: node_modules/.package-lock.json ## Check format, lint and types
	@npm run check --silent

##@ Help
.PHONY: help
help: ## Print this
	@awk 'BEGIN { FS = ":.*## " } /^##@ / { printf "\n%s\n", substr($$0, 5) } /^[a-z-]+:.*## / { printf "  %-18s %s\n", $$1, $$2 } END { print "\nVariables\n  ENGINE=auto|docker|podman|embedded  SERVICE=  PROFILE=  OFFLINE=1  FORMAT=text|json  N=1  SEED=1  YES=1  ARGS=" }' Makefile

# npm's own record of what it installed; older than the lock file means: install again.
node_modules/.package-lock.json: package-lock.json
	@test ! -L node_modules || { echo 'make: node_modules is a link; npm ci would empty the folder it leads to' >&2; exit 2; }
	@node scripts/build/check-machine.mjs
	@echo 'installing: npm ci' >&2 && npm ci --no-audit --no-fund --no-update-notifier --loglevel=error >&2 && touch $@

scripts/dist/.built: $(SOURCES) node_modules/.package-lock.json
	@node scripts/build/check-machine.mjs
	@echo 'building' >&2 && node scripts/build.mjs >/dev/null && touch $@
