"""Dataclasses that are finished when the first instance is made.

`dataclasses.dataclass` writes up to six methods and compiles each of them: half a millisecond a class, a hundred of
them as long as ``import numpy``, and of a run from the shell most are never used. Here ``__init__`` is written when it
is first called, and what `dataclasses` knows of the fields is found out when somebody asks; the other methods are the
same for all classes. `dataclasses.fields`, `replace` and `asdict`, patterns, pickles and signatures work as ever.
"""

from __future__ import annotations

import contextlib
import dataclasses
import reprlib
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass  # noqa: PLC0414 - for others to import
else:

    def dataclass(
        cls: Any = None, /, *, frozen: bool = False, eq: bool = True, repr: bool = True,  # noqa: A002
        slots: bool = False, kw_only: bool = False,
    ) -> Any:  # fmt: skip
        """Take the place of `dataclasses.dataclass`.

        Parameters
        ----------
        cls : type
            The class.
        frozen : bool
            As for `dataclasses.dataclass`, as are the others.
        eq : bool
            Whether instances with equal fields are equal.
        repr : bool
            Whether instances show their fields.
        slots : bool
            Whether instances have room for their fields alone.
        kw_only : bool
            Whether fields are given by name alone.

        Returns
        -------
        type
            The class, or with ``slots`` another in its place; without a class, what takes one.
        """
        if cls is None:
            return lambda found: dataclass(found, frozen=frozen, eq=eq, repr=repr, slots=slots, kw_only=kw_only)
        own = {name: cls.__dict__[name] for name in _names(cls) if name in cls.__dict__}
        given = set(cls.__dict__)
        if slots:
            cls = _with_slots(cls, own, frozen=frozen)
        _Unfinished(cls, own, frozen=frozen, kw_only=kw_only)
        methods = {"__repr__": _repr} if repr else {}
        if eq:
            methods |= {"__eq__": _eq, "__hash__": _hash if frozen else None}
        if frozen:
            methods |= {"__setattr__": _refuse, "__delattr__": _refuse}
        for name, method in methods.items():
            # A class that has __eq__ and no __hash__ has been given None for one.
            if name not in given or (name == "__hash__" and cls.__hash__ is None):
                setattr(cls, name, method)
        return cls


class _Unfinished:
    """What is known of a class until the first instance is made.

    Parameters
    ----------
    cls : type
        The class.
    own : dict of str to object
        The defaults of its own fields, or what `dataclasses.field` gave.
    frozen : bool
        Whether its fields are set once.
    kw_only : bool
        Whether they are given by name alone.
    """

    LATE = ("__dataclass_fields__", "__dataclass_params__", "__match_args__", "__signature__")

    def __init__(self, cls: Any, own: dict[str, Any], *, frozen: bool, kw_only: bool) -> None:
        self.cls, self.own, self.frozen, self.kw_only = cls, own, frozen, kw_only
        cls.__record__ = self
        for name in self.LATE:
            setattr(cls, name, _Late(self, name))
        if "__slots__" not in cls.__dict__:
            for name, given in own.items():
                _set_default(cls, name, given)
        if "__init__" not in cls.__dict__:

            def __init__(self: object, *args: Any, **kwargs: Any) -> None:  # noqa: N807
                cls.__init__ = _initializer(cls, record.parts, frozen=frozen)
                record.drop_signature()
                cls.__init__(self, *args, **kwargs)

            record, cls.__init__ = self, __init__

    @cached_property
    def parts(self) -> list[dataclasses.Field[Any]]:
        """The fields, as far as instances need them, those of the bases first."""
        found: dict[str, dataclasses.Field[Any]] = {}
        for base in self.cls.__mro__[:0:-1]:
            if "__record__" in base.__dict__:
                found |= {part.name: part for part in base.__record__.parts}
        for name in _names(self.cls):
            given = self.own.get(name, dataclasses.MISSING)
            part = given if isinstance(given, dataclasses.Field) else dataclasses.field(default=given)
            part.name = name
            part.kw_only = self.kw_only if part.kw_only is dataclasses.MISSING else part.kw_only
            found[name] = part
        return list(found.values())

    def drop_signature(self) -> None:
        """Leave it to `inspect` to read the signature off the method that is there now."""
        if isinstance(self.cls.__dict__.get("__signature__"), _Late):
            with contextlib.suppress(AttributeError):  # another thread was faster
                del self.cls.__signature__

    def finish(self) -> None:
        """Let `dataclasses` look at the fields; to do so twice, in two threads, gives the same."""
        cls = self.cls
        space = {"__annotations__": cls.__annotations__, "__module__": cls.__module__, **self.own}
        space["__doc__"] = "A twin, to be looked at."  # without one, dataclasses would write the signature down
        twin: Any = type(cls.__name__, (), space)
        dataclasses.dataclass(init=False, repr=False, eq=False, kw_only=self.kw_only)(twin)
        fields: dict[str, dataclasses.Field[Any]] = {}
        for base in cls.__mro__[:0:-1]:
            fields |= getattr(base, "__dataclass_fields__", {})
        cls.__dataclass_fields__ = fields | twin.__dataclass_fields__
        cls.__dataclass_params__ = twin.__dataclass_params__
        cls.__dataclass_params__.frozen = self.frozen
        positional = tuple(part.name for part in self.parts if part.init and not part.kw_only)
        type.__setattr__(cls, "__match_args__", positional)
        if getattr(cls.__dict__.get("__init__"), "__module__", None) == __name__:
            cls.__init__ = _initializer(cls, self.parts, frozen=self.frozen)
        self.drop_signature()


class _Late:
    """An attribute of a class that is not finished: it finishes the class when it is asked for."""

    def __init__(self, unfinished: _Unfinished, name: str) -> None:
        self.unfinished, self.name = unfinished, name

    def __get__(self, instance: object, owner: type) -> Any:
        self.unfinished.finish()
        try:
            return getattr(owner, self.name)
        except AttributeError:  # what `inspect` asks for, and has other ways to find
            raise AttributeError(self.name) from None


def _names(cls: type) -> list[str]:
    """Give the names of the fields that a class adds."""
    kinds = {name: str(kind).removeprefix("typing.") for name, kind in cls.__annotations__.items()}
    return [name for name, kind in kinds.items() if not kind.startswith("ClassVar")]


def _set_default(cls: Any, name: str, given: Any) -> None:
    if not isinstance(given, dataclasses.Field):
        return
    if given.default is dataclasses.MISSING:
        delattr(cls, name)
    else:
        setattr(cls, name, given.default)


class _Factory:
    def __repr__(self) -> str:
        return "<factory>"


_FACTORY: Any = _Factory()


def _initializer(cls: Any, parts: list[dataclasses.Field[Any]], *, frozen: bool) -> Callable[..., None]:
    """Write ``__init__``."""
    space: dict[str, Any] = {"_put": object.__setattr__, "_factory": _FACTORY}
    order = sorted((f for f in parts if f.init), key=lambda f: bool(f.kw_only))
    heads, body = [], []
    for place, f in enumerate(order):
        if f.kw_only and not (place and order[place - 1].kw_only):
            heads.append("*")
        if f.default is not dataclasses.MISSING:
            space[f"_default_{f.name}"] = f.default
            heads.append(f"{f.name}=_default_{f.name}")
        else:
            heads.append(f.name + ("" if f.default_factory is dataclasses.MISSING else "=_factory"))
    for f in parts:
        value = f.name
        if f.default_factory is not dataclasses.MISSING:
            space[f"_make_{f.name}"] = f.default_factory
            value = f"_make_{f.name}()" + (f" if {f.name} is _factory else {f.name}" if f.init else "")
        elif not f.init:
            continue
        body.append(f"_put(self, {f.name!r}, {value})" if frozen else f"self.{f.name} = {value}")
    if hasattr(cls, "__post_init__"):
        body.append("self.__post_init__()")
    text = f"def __init__({', '.join(['self', *heads])}):\n " + "\n ".join(body or ["pass"])
    exec(text, space)  # noqa: S102 - made of the names of fields
    made: Any = space["__init__"]
    kinds = {name: kind for base in cls.__mro__[::-1] for name, kind in getattr(base, "__annotations__", {}).items()}
    made.__annotations__ = {f.name: kinds[f.name] for f in order} | {"return": None}
    made.__module__, made.__qualname__ = cls.__module__, f"{cls.__qualname__}.__init__"
    return made  # type: ignore[no-any-return]


# ---- the methods that are the same for all classes ------------------------------------------------------------------


@reprlib.recursive_repr()
def _repr(self: Any) -> str:
    shown = (f"{f.name}={getattr(self, f.name)!r}" for f in self.__record__.parts if f.repr)
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _compared(record: Any) -> tuple[Any, ...]:
    return tuple([getattr(record, f.name) for f in record.__record__.parts if f.compare])


def _eq(self: object, other: object) -> bool:
    return _compared(self) == _compared(other) if other.__class__ is self.__class__ else NotImplemented


def _hash(self: object) -> int:
    return hash(_compared(self))


def _refuse(_: object, name: str, *value: object) -> None:
    verb = "assign to" if value else "delete"
    raise dataclasses.FrozenInstanceError(f"cannot {verb} field {name!r}")


# ---- slots ---------------------------------------------------------------------------------------------------------


def _with_slots(cls: Any, own: dict[str, Any], *, frozen: bool) -> Any:
    """Give a class in place of another, whose instances have room for its fields alone."""
    taken = {name for base in cls.__mro__[1:] for name in getattr(base, "__slots__", ())}
    space = {n: v for n, v in cls.__dict__.items() if n not in own and n not in ("__dict__", "__weakref__")}
    space["__slots__"] = tuple(name for name in _names(cls) if name not in taken)
    new = type(cls)(cls.__name__, cls.__bases__, space)
    new.__qualname__ = cls.__qualname__
    if frozen:  # which copies and pickles could not fill otherwise
        new.__getstate__, new.__setstate__ = _state, _restore
    return new


def _state(self: Any) -> list[Any]:
    return [getattr(self, f.name) for f in self.__record__.parts]


def _restore(self: Any, state: list[Any]) -> None:
    for f, value in zip(self.__record__.parts, state, strict=True):
        object.__setattr__(self, f.name, value)
