# SPDX-License-Identifier: Apache-2.0
"""What all Python tests share.

`trawl_path`  the binary under test: $TRAWL, else build/release/trawl, else build/dev/trawl.
`tools`       GNU du and the binary under test, to be run alike; see differential/du.py.
`sandbox`     a directory of its own in a mount namespace of its own; see differential/sandbox.py.
`soak`        marks tests of minutes; left out unless -m asks for them.
"""

import os
import pathlib

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent


def pytest_collection_modifyitems(config, items):
    if config.getoption("-m"):
        return
    soak = [item for item in items if item.get_closest_marker("soak")]
    if soak:
        config.hook.pytest_deselected(items=soak)
        items[:] = [item for item in items if item not in soak]


@pytest.fixture(scope="session")
def trawl_path():
    if "TRAWL" in os.environ:
        candidates = [pathlib.Path(os.environ["TRAWL"])]
    else:
        candidates = [ROOT / "build" / preset / "trawl" for preset in ("release", "dev")]
    for candidate in candidates:
        if os.access(candidate, os.X_OK):
            return candidate.resolve()
    pytest.fail(f"no binary to test: {', '.join(map(str, candidates))}")


@pytest.fixture(scope="session")
def sandbox():
    from differential.sandbox import Sandbox

    box = Sandbox()
    yield box
    box.close()


@pytest.fixture(scope="module")
def tools(trawl_path, sandbox):
    from differential.du import Tools

    return Tools(trawl_path, sandbox)
