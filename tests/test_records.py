"""Dataclasses that are finished late are those of the standard library in all that can be seen of them."""

import copy
import dataclasses
import inspect
import pickle
import sys
import types
from dataclasses import FrozenInstanceError, asdict, field, fields, replace
from functools import cached_property
from pathlib import Path
from threading import Barrier, Thread
from typing import ClassVar

import pytest

from symgd import records

PACKAGE = Path(records.__file__).parent
OPTIONS = [
    {}, {"frozen": True}, {"eq": False}, {"frozen": True, "eq": False}, {"frozen": True, "slots": True},
    {"slots": True, "eq": False}, {"frozen": True, "repr": False}, {"frozen": True, "eq": False, "kw_only": True},
    {"frozen": True, "slots": True, "kw_only": True},
]  # fmt: skip


def classes(dataclass, options):
    """Give a base and what is derived from it."""

    @dataclass(**options)
    class Base:
        """A base."""

        start: int = field(default=0, kw_only=True, compare=False)
        kind: ClassVar[str] = "base"

    @dataclass(**options)
    class Derived(Base):
        """What is derived."""

        name: str
        size: float = 1.5
        parts: list = field(default_factory=list, repr=False)

        def double(self):
            return 2 * self.size

    @dataclass(**options)
    class Bare:
        """No fields at all."""

    return Base, Derived, Bare


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_what_is_made_late_is_what_dataclasses_make(options):
    ours, theirs = classes(records.dataclass, options)[1], classes(dataclasses.dataclass, options)[1]
    assert str(inspect.signature(ours)) == str(inspect.signature(theirs))
    assert ours.__match_args__ == theirs.__match_args__
    assert [(f.name, f.type, f.kw_only, f.compare) for f in fields(ours)] == [
        (f.name, f.type, f.kw_only, f.compare) for f in fields(theirs)
    ]
    a, b = (made(name="a", start=3) for made in (ours, theirs))
    assert repr(a).split(".")[-1] == repr(b).split(".")[-1] or "object at" in repr(b)
    assert asdict(a) == asdict(b) == {"start": 3, "name": "a", "size": 1.5, "parts": []}
    assert asdict(replace(a, size=2.0)) == asdict(replace(b, size=2.0))
    assert (a == ours(name="a", start=4)) == (b == theirs(name="a", start=4))
    assert (a == ours(name="b")) == (b == theirs(name="b"))
    assert (ours.__hash__ is None) == (theirs.__hash__ is None)
    assert (ours.__hash__ is object.__hash__) == (theirs.__hash__ is object.__hash__)
    assert hasattr(a, "__dict__") == hasattr(b, "__dict__")
    assert a.kind == "base"
    assert a.double() == 3.0
    assert ours(name="a").parts is not ours(name="a").parts


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("wrong", [{}, {"name": 1, "none": 2}, {"start": 1}])
def test_a_wrong_call_is_refused(options, wrong):
    with pytest.raises(TypeError):
        classes(records.dataclass, options)[1](**wrong)


@pytest.mark.parametrize("options", [o for o in OPTIONS if o.get("frozen")], ids=str)
def test_what_is_frozen_stays(options):
    made = classes(records.dataclass, options)[1](name="a")
    with pytest.raises(FrozenInstanceError, match="cannot assign to field 'name'"):
        made.name = "b"
    with pytest.raises(FrozenInstanceError, match="cannot delete field 'name'"):
        del made.name


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_the_first_thing_asked_may_be_anything(options):
    assert classes(records.dataclass, options)[2]() is not None
    assert classes(records.dataclass, options)[0]().start == 0
    assert len(fields(classes(records.dataclass, options)[1])) == 4
    assert dataclasses.is_dataclass(classes(records.dataclass, options)[1])

    class Plain(classes(records.dataclass, options)[1]):
        """No dataclass, but it inherits from one."""

    assert Plain(name="a").size == 1.5
    assert "name" in inspect.signature(Plain).parameters


@records.dataclass(frozen=True, slots=True)
class Slotted:
    a: int
    b: tuple = ()


@records.dataclass(frozen=True)
class Open:
    a: int
    b: tuple = ()

    @cached_property
    def twice(self):
        return 2 * self.a


@records.dataclass(frozen=True)
class Checked:
    a: int

    def __post_init__(self):
        if self.a < 0:
            raise ValueError(self.a)

    def __repr__(self):
        return "own"

    def __hash__(self):
        return 7


@pytest.mark.parametrize("kind", [Slotted, Open])
def test_copies_and_pickles(kind):
    made = kind(1, (2,))
    for other in (copy.copy(made), copy.deepcopy(made), pickle.loads(pickle.dumps(made))):
        assert other == made
        assert hash(other) == hash(made)


@pytest.mark.parametrize("slots", ["", ", slots=True"])
def test_a_pickle_is_read_where_no_instance_was_made(slots):
    program = f"from symgd.records import dataclass\n@dataclass(frozen=True{slots})\nclass A:\n    a: int\n"
    module = types.ModuleType("made_late")
    sys.modules["made_late"] = module
    try:
        exec(program, module.__dict__)
        raw = pickle.dumps(module.A(3))
        exec(program, module.__dict__)  # as in another process
        made = pickle.loads(raw)
    finally:
        del sys.modules["made_late"]
    assert repr(made) == "A(a=3)"
    with pytest.raises(FrozenInstanceError):
        made.a = 4
    assert made == module.A(3)
    assert hash(made) == hash(module.A(3))


def test_methods_of_ones_own_are_kept():
    assert repr(Checked(1)) == "own"
    assert hash(Checked(1)) == 7
    assert Checked(1) == Checked(1)
    with pytest.raises(ValueError, match="-1"):
        Checked(-1)


def test_patterns_and_cached_properties():
    match Open(4, (5,)):
        case Open(a, b):
            assert (a, b) == (4, (5,))
    assert Open(4).twice == 8


def test_two_threads_may_make_the_first_instances():
    for _ in range(50):
        kind = classes(records.dataclass, {"frozen": True})[1]
        barrier, found = Barrier(4), []

        def make(kind=kind, barrier=barrier, found=found):
            barrier.wait()
            found.append(kind("a"))

        threads = [Thread(target=make) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(found) == 4
        assert all(other == found[0] for other in found)


def test_the_package_makes_no_other_dataclasses():
    texts = {path: path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py") if path.name != "records.py"}
    for path, text in texts.items():
        imported = [line for line in text.splitlines() if line.startswith(("from dataclasses", "import dataclasses"))]
        assert not any("dataclass" in line.split("import", 1)[1] for line in imported), path
