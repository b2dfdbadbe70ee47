# Liên Thông: `just` lists what there is.

set positional-arguments

# List the recipes
default:
    @just --list

# Set up: environment, then say what to try
dev:
    uv sync
    @echo "ready: 'uv run lienthong demo' runs the whole way, 'just test' the tests, 'just check' all that CI asks"

# Everything a change must pass short of the tests: format, lint, types, imports, dictionary, generated files
check:
    uv run ruff format --check .
    uv run ruff check .
    uv run mypy
    uv run lint-imports
    uv run lienthong dictionary check
    uv run python tools/generate.py --check

# Put everything into the house format
format:
    uv run ruff format .
    uv run ruff check --fix .

# Run the tests; arguments go to pytest
test *arguments:
    uv run pytest -n auto --dist loadgroup "$@"

# Run the tests and show what they do not reach
coverage:
    uv run coverage erase
    uv run coverage run -m pytest
    uv run coverage combine
    uv run coverage report

# Run a long campaign: `just campaign kill`
campaign name="kill" *arguments:
    LIENTHONG_CAMPAIGN=1 uv run pytest "tests/simulation" -k "{{ name }}"

# Measure a promise beside its reference: `just bench sync`, `just bench check`
bench name *arguments:
    uv run python "benchmarks/$1.py" "${@:2}"

# Write generated files and reference pages anew
generate:
    uv run python tools/generate.py

# List the documents and check their links
docs:
    uv run pytest tests/repo -k docs
