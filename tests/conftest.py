"""No test opens a real window or touches the settings of whoever runs it."""

import os

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("PYSIDE6_OPTION_LAZY", "0")  # As app.gui does: pytest-qt imports Qt before it.


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--fault", type=int, help="only the tests of this fault of tests/faults/index.py")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    wanted = config.getoption("--fault")
    if wanted is not None:
        items[:] = [item for item in items if any(wanted in m.args for m in item.iter_markers("fault"))]
