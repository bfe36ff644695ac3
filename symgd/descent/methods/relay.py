"""One method after another, where one alone does not get there."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import ClassVar

import numpy as np

from symgd.descent.methods.base import At, Function, Memory, Method, Vector, norm

SMALL = 1e-8  # a gradient's norm, and one relative to the first, at which a method that looks elsewhere has arrived
PACE = 10  # steps from one look at the pace to the next
CREEPS = 1e-1  # of the value, and of all that it fell by so far: a fall in `PACE` steps that is none
TRIED = 200  # steps that a method is given which looks elsewhere


class _Head(IntEnum):
    """What the first array of the memory holds."""

    LEG = 0  # which leg of the way it is on
    ASIDE = 1  # 1 while it looks elsewhere, and the run stays where the value is lowest
    VALUE = 2  # where it is, looking elsewhere
    FIRST = 3  # the value at the start
    TAKEN = 4  # steps of this leg
    PACED = 5  # value and gradient at the last look at the pace
    SLOPED = 6
    LED = 7  # the leg that led to the lowest point


class Relay(Method):
    """The default: a method, and others that go on where it stalls, creeps, or has ended at no minimum.

    Each leg of the way begins where the last one ended, or, at a second try, where the run began. While a leg that
    began anew is still higher up, the run stays at the lowest point that was found.

    Parameters
    ----------
    first : Method
        The method that begins.
    here : sequence of Method
        Those that go on where it stalls or creeps.
    anew : sequence of Method
        Those that begin anew where the run ended at no minimum.
    """

    summary = "the best method for the problem, and others where it does not get there"
    escapes: ClassVar[bool] = True

    def __init__(self, first: Method, here: Sequence[Method] = (), anew: Sequence[Method] = ()) -> None:
        super().__init__()
        self.name = first.name
        # Where all have been tried, the first one has the rest of the steps.
        self.legs = (first, *here, *anew, first)
        self._fresh = range(1 + len(here), len(self.legs) - 1)

    @property
    def names(self) -> list[list[str]]:
        """The names of the methods: the first, those that go on, and those that begin anew."""
        cut = self._fresh.start
        return [[leg.name for leg in part] for part in (self.legs[:1], self.legs[1:cut], self.legs[cut:-1])]

    def begin(self, function: Function, at: At) -> Memory:
        """Begin with the first method."""
        head = np.zeros(len(_Head))
        head[[_Head.VALUE, _Head.FIRST, _Head.PACED, _Head.SLOPED]] = at.f, at.f, at.f, norm(at.g)
        own = [head, at.x.copy(), at.g.copy(), at.x.copy(), at.g.copy()]
        self._cuts = [len(own)]
        for leg in self.legs:
            own += leg.begin(function, at)
            self._cuts.append(len(own))
        return own

    def step(self, function: Function, at: At, memory: Memory) -> At | None:
        """Take a step of the method whose turn it is."""
        head, x, g = memory[:3]
        while True:
            leg, aside = int(head[_Head.LEG]), head[_Head.ASIDE] > 0
            place = At(x.copy(), float(head[_Head.VALUE]), g.copy()) if aside else at
            if aside:
                function.stand(place)
            small = SMALL * min(1.0, float(np.linalg.norm(memory[4])))
            spent = aside and (norm(place.g) <= small or head[_Head.TAKEN] >= TRIED)
            new = None if spent else self.legs[leg].step(function, place, self._own(memory, leg))
            if new is not None and not (new.f == place.f and np.array_equal(new.x, place.x)):
                return self._taken(function, at, new, memory)
            if not (aside or leg + 1 < self._fresh.start) or not self._begin(function, at, place, memory, leg + 1):
                return None

    def _taken(self, function: Function, at: At, new: At, memory: Memory) -> At:
        """Note a step, and give where the run stands: there, or where it was."""
        head, x, g = memory[:3]
        head[_Head.TAKEN] += 1
        lower = not head[_Head.ASIDE] or new.f < at.f
        if lower:
            head[[_Head.ASIDE, _Head.LED]] = 0.0, head[_Head.LEG]
        else:
            x[:], g[:], head[_Head.VALUE] = new.x, new.g, new.f
        best = new if lower else at
        # Slopes along kinks do not become smaller, whatever the pace.
        if function.kernel.smooth and self._creeps(head, new):
            self._begin(function, best, new, memory, int(head[_Head.LEG]) + 1)
        return best

    def again(self, function: Function, at: At, memory: Memory) -> bool:
        """Begin anew with the next method, where the run has ended at no minimum, or at a kink go on from there.

        Parameters
        ----------
        function : Function
            The objective.
        at : At
            Where the run stands.
        memory : list of ndarray
            What earlier steps left behind; it is changed in place.

        Returns
        -------
        bool
            Whether there was one to try.
        """
        following = int(memory[0][_Head.LEG]) + 1
        if function.kernel.smooth:
            following = max(following, self._fresh.start)
        return not self.exhausted(memory) and self._begin(function, at, at, memory, following)

    def exhausted(self, memory: Memory) -> bool:
        """Tell whether every method has been tried.

        Parameters
        ----------
        memory : list of ndarray
            What earlier steps left behind.

        Returns
        -------
        bool
        """
        return int(memory[0][_Head.LEG]) + 1 >= self._fresh.stop

    def moved(self, function: Function, at: At, memory: Memory) -> Memory:
        """Go on from another point with the method whose turn it is."""
        self._start(function, at, memory, int(memory[0][_Head.LEG]))
        return memory

    def _begin(self, function: Function, best: At, place: At, memory: Memory, leg: int) -> bool:
        """Begin a leg: anew, or where another ended; give whether there is one more."""
        if leg >= len(self.legs):
            return False
        head, x, g, start, slope = memory[:5]
        if not self.legs[leg].suits(function, place):
            return self._begin(function, best, place, memory, leg + 1)
        if leg in self._fresh:
            place = At(start.copy(), float(head[_Head.FIRST]), slope.copy())
            x[:], g[:], head[_Head.VALUE], head[_Head.ASIDE] = place.x, place.g, place.f, 1.0
        elif leg == len(self.legs) - 1:
            place, head[_Head.ASIDE] = best, 0.0
        self._start(function, place, memory, leg)
        return True

    def _start(self, function: Function, place: At, memory: Memory, leg: int) -> None:
        memory[0][[_Head.LEG, _Head.TAKEN, _Head.PACED, _Head.SLOPED]] = leg, 0.0, place.f, norm(place.g)
        for old, new in zip(self._own(memory, leg), self.legs[leg].begin(function, place), strict=True):
            old[...] = new

    def _own(self, memory: Memory, leg: int) -> Memory:
        """Give the part of the memory that belongs to a leg."""
        return memory[self._cuts[leg] : self._cuts[leg + 1]]

    def _creeps(self, head: Vector, at: At) -> bool:
        """Tell, from time to time, whether a leg hardly gets on: values nearly as they were, and slopes too."""
        if head[_Head.TAKEN] % PACE or int(head[_Head.LEG]) == len(self.legs) - 1:
            return False
        whole = min(abs(at.f), abs(float(head[_Head.FIRST]) - at.f))
        slow = head[_Head.PACED] - at.f <= CREEPS * whole and norm(at.g) > 0.1 * head[_Head.SLOPED]
        head[[_Head.PACED, _Head.SLOPED]] = at.f, norm(at.g)
        return bool(slow)

    def told(self, memory: Memory) -> str:
        """Give the names of the methods that led to where the run stands."""
        led = int(memory[0][_Head.LED])
        name = self.legs[led].name
        return name if name == self.name else f"{self.name}, then {name}"
