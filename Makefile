# make run            everything, at http://127.0.0.1:8000     (HOST=<address>: for a LAN, by HTTPS)
# make test           every check and every test
PYTHON ?= $(shell command -v python3.11 || command -v python3)
HOST ?=
ARGS ?=

.PHONY: run test setup check bench protocol
run: setup ; @exec .venv/bin/python manage.py run $(if $(HOST),--host $(HOST))
test: setup ; @./deploy/test.sh $(ARGS)
setup: ; @$(PYTHON) deploy/setup.py
check: setup ; @./deploy/check.sh
bench: setup ; @.venv/bin/python manage.py bench $(ARGS)
protocol: setup ; @.venv/bin/python manage.py protocol && .venv/bin/python manage.py openapi && .venv/bin/python manage.py configuration
