# SPDX-License-Identifier: Apache-2.0
"""The pure engine has what _native.pyi says, by the same names and with the same arguments."""

import ast
import inspect

import pytest
from pure_trees import ROOT

from trawl import _pure as pure

STUB = ast.parse((ROOT / "python" / "trawl" / "_native.pyi").read_text())


def arguments(function):
    """Names, kinds and defaults, where the stub tells them."""
    out = []
    given = function.args
    positional = given.posonlyargs + given.args
    defaults = [None] * (len(positional) - len(given.defaults)) + given.defaults
    for argument, default in zip(positional, defaults):
        out.append((argument.arg, "positional", default))
    for argument, default in zip(given.kwonlyargs, given.kw_defaults):
        out.append((argument.arg, "keyword", default))
    return out


def same_signature(function, stub):
    parameters = list(inspect.signature(function).parameters.values())
    expected = arguments(stub)
    assert [p.name for p in parameters] == [name for name, _, _ in expected]
    for parameter, (name, kind, default) in zip(parameters, expected):
        assert (parameter.kind == parameter.KEYWORD_ONLY) == (kind == "keyword"), name
        if default is None:
            assert parameter.default is parameter.empty, name
        elif not (isinstance(default, ast.Constant) and default.value is ...):
            assert parameter.default == ast.literal_eval(default), name


@pytest.mark.parametrize("item", [n for n in STUB.body if isinstance(n, ast.FunctionDef)], ids=lambda n: n.name)
def test_functions(item):
    same_signature(getattr(pure, item.name), item)


@pytest.mark.parametrize("item", [n for n in STUB.body if isinstance(n, ast.ClassDef)], ids=lambda n: n.name)
def test_classes(item):
    kind = getattr(pure, item.name)
    for member in item.body:
        decorators = [d.id for d in member.decorator_list]
        found = inspect.getattr_static(kind, member.name)
        if "property" in decorators:
            assert isinstance(found, property), member.name
        elif "staticmethod" in decorators:
            assert isinstance(found, staticmethod)
            same_signature(getattr(kind, member.name), member)
        elif not (item.name == "Table" and member.name == "__init__"):
            same_signature(found, member)
    public = {name for name in vars(kind) if not name.startswith("_")}
    stated = {member.name for member in item.body}
    if item.name != "PathFilter":  # what the walk asks of it
        assert public <= stated


def test_values():
    names = {n.target.id for n in STUB.body if isinstance(n, ast.AnnAssign)}
    assert names <= set(dir(pure))
    assert pure.FILE_TYPES[:4] == ("unknown", "file", "directory", "symlink") and len(pure.FILE_TYPES) == 8
