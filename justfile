# The commands of CONTRIBUTING.md by name: https://just.systems
python := "python3 bootstrap.py"

# a take, its render, an MP4
clip words="a red ball rolls to the left on a blue background":
    {{python}} app.py make "{{words}}"

# every test
test:
    {{python}} -m pytest

# the tests that take milliseconds
fast:
    {{python}} -m pytest -m "not slow"

# style and types
check:
    {{python}} -m ruff check .
    {{python}} -m ruff format --check .
    {{python}} -m mypy

# what the docs say of the code, written from the code
docs:
    {{python}} -m tests.docs

# everything, as it runs before a change lands
ci:
    .ci/run
