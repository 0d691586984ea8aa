# All state lives in .local/; `make clean` removes it.
# PYTHON=python3.12        another Python (3.10 to 3.13)
# ODOO_SOURCE=/path        your own checkout of Odoo 19.0
# PGHOST= PGPORT= PGUSER= PGPASSWORD=   your own PostgreSQL, not the embedded one
# HI_HTTP_PORT=8070        another port for `make run` and `make demo`
PYTHON ?= python3
RIG = $(PYTHON) -B -m dev.rig

.PHONY: help demo test run bench setup lint stop clean
.DEFAULT_GOAL := help

help:   ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-7s %s\n", $$1, $$2}' Makefile

demo:   ## set everything up, then show the main job end to end
	@$(RIG) demo

test:   ## set everything up, then run all tests
	@$(RIG) test

run:    ## a server at http://localhost:8069 with demo data (admin / admin)
	@$(RIG) run

bench:  ## measure: BENCH="capture delivery inbound mapping", default all (minutes)
	@$(PYTHON) -B -m bench $(BENCH)

setup:  ## set everything up only
	@$(RIG) setup

lint:   ## the linters (pre-commit)
	@$(RIG) lint

stop:   ## stop the embedded PostgreSQL
	@$(RIG) stop

clean:  ## remove .local/ with everything in it, databases too
	@$(RIG) clean
