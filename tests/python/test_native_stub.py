# SPDX-License-Identifier: Apache-2.0
"""_native.pyi is what the module is: the same names, arguments and defaults; and it is what mypy's
stubtest says, but for what nanobind's functions and classes are by nature."""

import ast
import pathlib
import re
import subprocess
import sys

import pytest

native = pytest.importorskip("trawl._native")
STUB = pathlib.Path(native.__file__).with_name("_native.pyi")


def stub_members():
    """Name -> node, of the module and, with "Class." before it, of its classes."""
    members = {}
    for node in ast.parse(STUB.read_text()).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            members[node.name] = node
        elif isinstance(node, ast.AnnAssign):
            members[node.target.id] = node
        if isinstance(node, ast.ClassDef):
            members.update({f"{node.name}.{member.name}": member for member in node.body
                            if isinstance(member, ast.FunctionDef)})
    return members


def runtime_member(name):
    member = native
    for part in name.split("."):
        # Not getattr: that would call a property, or bind.
        member = member.__dict__[part] if isinstance(member, type) else getattr(member, part)
    return member.__func__ if isinstance(member, staticmethod) else member


def described(node, defaults, is_method):
    """[(name, kind, default)] of a function's arguments, without self."""
    found = []
    positional = node.args.args
    given = [None] * (len(positional) - len(node.args.defaults)) + node.args.defaults
    for argument, default in list(zip(positional, given))[is_method:]:
        found.append((argument.arg, "positional", default))
    for argument, default in zip(node.args.kwonlyargs, node.args.kw_defaults):
        found.append((argument.arg, "keyword", default))
    return [(name, kind, defaults(default)) for name, kind, default in found]


def of_stub(node, is_method):
    def value(default):
        if default is None:
            return "required"
        text = ast.unparse(default)
        return "any" if text == "..." else repr(ast.literal_eval(text))

    return described(node, value, is_method)


def of_runtime(function, is_method):
    text, _, values = function.__nb_signature__[0]
    # `= \3` stands for the fourth of the values.
    text = re.sub(r"= \\(\d+)", r"= '\1'", text)
    node = ast.parse(re.sub(r"<[^>]*>", "object", text) + ": ...").body[0]
    return described(node, lambda default: "required" if default is None
                     else repr(values[int(ast.literal_eval(default))]), is_method)


def test_same_names():
    stub = stub_members()
    public = {name for name in vars(native) if not name.startswith("_")} | {"__version__"}
    assert public == {name for name in stub if "." not in name}
    for name, node in stub.items():
        if isinstance(node, ast.ClassDef):
            there = {member for member in vars(runtime_member(name)) if not member.startswith("__")}
            assert there == {member.name for member in node.body if not member.name.startswith("__")}, name


def test_same_arguments():
    compared = 0
    for name, node in stub_members().items():
        if not isinstance(node, ast.FunctionDef):
            continue
        decorators = {ast.unparse(decorator) for decorator in node.decorator_list}
        member = runtime_member(name)
        if "property" in decorators:
            assert isinstance(member, property), name
            continue
        if not hasattr(member, "__nb_signature__"):
            assert name.endswith("__"), name
            continue
        is_method = "." in name and "staticmethod" not in decorators
        wanted = of_stub(node, is_method)
        found = of_runtime(member, is_method)
        assert [item[:2] for item in wanted] == [item[:2] for item in found], name
        for (argument, _, stub_default), (_, _, default) in zip(wanted, found):
            assert stub_default == default or (stub_default == "any" and default != "required"), (name, argument)
        compared += len(wanted)
    assert compared > 90


def test_stubtest(tmp_path):
    pytest.importorskip("mypy")
    allowed = tmp_path / "allowed"
    classes = [name for name, node in stub_members().items() if isinstance(node, ast.ClassDef)]
    # Not "functions" but nb_func; classes whose metaclass is nb_type, with slots of their own.
    functions = [name for name, node in stub_members().items() if isinstance(node, ast.FunctionDef) and "." not in name]
    functions += ["PathFilter.from_git_root", "Table.__init__"]  # another nb_func; one that only raises
    allowed.write_text("".join(f"trawl\\._native\\.{name}\n" for name in classes + functions))
    done = subprocess.run(
        [sys.executable, "-m", "mypy.stubtest", "--allowlist", allowed, "--ignore-unused-allowlist", "trawl._native"],
        cwd=STUB.parent.parent, env={"MYPYPATH": str(STUB.parent.parent), "PYTHONPATH": str(STUB.parent.parent)},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout
