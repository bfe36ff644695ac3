"""Films of pictures that move: written to files, shown in notebooks, or stopped at a step."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from subprocess import CalledProcessError
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from matplotlib import rc_context
from matplotlib.animation import FFMpegWriter, HTMLWriter, PillowWriter
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import Collection
from matplotlib.figure import Figure, SubFigure
from matplotlib.legend import Legend
from matplotlib.lines import Line2D
from matplotlib.text import Text

from symgd.checks import number, whole
from symgd.errors import UsageError, safe
from symgd.plotting import files
from symgd.plotting.motion import MOVING, Moving
from symgd.progress import interruptible
from symgd.progress import progress as show_progress

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from numpy.typing import NDArray

    Picture: TypeAlias = Axes | Figure | SubFigure | Sequence[Axes]

SUFFIXES = (".mp4", ".gif", ".html")
_EVEN = 2  # times as many steps as frames, up to which frames are at equal distances
_PAUSE = 1.0  # seconds at the end
_EMBEDDED = 200.0  # megabytes of a page, at most
_PAGE: Any = {"animation.frame_format": "jpeg"}  # PNG takes twice the room
_FRAME: Any = {"pil_kwargs": {"quality": 88}}
_DOT: dict[str, Any] = {"marker": "o", "markersize": 8, "markeredgecolor": "white", "markeredgewidth": 1.2, "zorder": 7}


def animate(
    picture: Picture,
    path: str | Path | None = None,
    *,
    frames: int | Sequence[int] = 100,
    fps: float = 20,
    progress: bool | None = None,
) -> Film:
    """Let the descents in a picture take their steps.

    Parameters
    ----------
    picture : Axes, Figure, or sequence of Axes
        What a function of this package has drawn of runs, alone or side by side.
    path : str or Path, optional
        A file to write at once, as `Film.save` does.
    frames : int or sequence of int
        How many pictures at most, or the steps that are shown. Of many more steps than frames, the first are shown one
        by one and later ones at growing distances.
    fps : float
        Frames a second.
    progress : bool, optional
        Whether to show progress; by default on a terminal after two seconds.

    Returns
    -------
    Film

    Raises
    ------
    UsageError
        If nothing moves in the picture, or a number is none.

    Examples
    --------
    >>> from symgd import Objective
    >>> film = animate(Objective("0.2*x1**2 + x2**2").minimize([9, -3], lr=0.2, steps=40).plot())
    >>> film.steps[-1]
    40
    """
    figure, shown = _figure(picture)
    moving = [artist for ax in shown for artist in _inside(ax) if artist in MOVING]
    if not moving:
        raise UsageError("nothing in this picture moves; animate what run.plot() or plot_runs(...) has drawn")
    last = max(MOVING[artist].last for artist in moving)
    rate = number("fps", fps, "above 0", low=1e-3)
    film = Film(figure, shown, moving, _steps(frames, last), rate, progress=progress)
    if path is not None:
        film.save(path)
    return film


def _figure(picture: Any) -> tuple[Figure, list[Axes]]:
    """Give the figure of a picture, and its axes; those beside them, as of residuals, belong to it."""
    if isinstance(picture, Axes | Figure | SubFigure):
        figure: Any = picture.get_figure(root=True) if isinstance(picture, Axes | SubFigure) else picture
    else:
        axes = list(picture)
        if not axes or not all(isinstance(ax, Axes) for ax in axes):
            raise UsageError("animate takes Axes, a list of them, or a Figure")
        figure = axes[0].get_figure(root=True)
    return figure, list(figure.axes)


def _inside(ax: Axes) -> list[Artist]:
    return [artist for artist in ax.get_children() if artist.get_visible() or artist in MOVING]


def _steps(frames: Any, last: int) -> NDArray[np.int64]:
    if isinstance(frames, Sequence | np.ndarray):
        chosen = np.array([whole("frames", step, 0) for step in frames], dtype=np.int64)
        if not len(chosen):
            raise UsageError("frames is empty; give how many pictures, or the steps that are to be shown")
        return chosen
    count = whole("frames", frames, 2)
    if last <= _EVEN * count:
        return np.unique(np.linspace(0, last, min(count, last + 1)).round().astype(np.int64))
    # Rounded, the first of a geometric sequence are the same: more are asked for until there are as many as wanted.
    for more in range(count, 50 * count):
        found = np.unique(np.geomspace(1, last + 1, more).round().astype(np.int64)) - 1
        if len(found) >= count:
            break
    return found


class Film:
    """A picture that moves: written to a file, shown in a notebook, or stopped at a step.

    Parameters
    ----------
    figure : Figure
        The picture.
    axes : list of Axes
        Where something moves in it.
    moving : list of Artist
        What moves.
    steps : ndarray of int
        The steps that are shown.
    fps : float
        Frames a second.
    progress : bool or None
        Whether to show progress.
    """

    def __init__(
        self, figure: Figure, axes: list[Axes], moving: list[Artist], steps: NDArray[np.int64], fps: float,
        *, progress: bool | None = None,
    ) -> None:  # fmt: skip
        self.figure, self.steps, self.fps, self.progress = figure, steps, fps, progress
        self._axes, self._moving = axes, moving
        self._heads = [(artist, _dot(artist)) for artist in moving if MOVING[artist].head]
        for _, dot in self._heads:
            MOVING[dot] = Moving(0, lambda _: None)
        self._count = figure.text(0.995, 0.004, "", ha="right", va="bottom", fontsize=9, color="0.35", gid="step")
        self._page = ""
        self.at(int(steps[-1]))

    def at(self, step: int) -> Figure:
        """Show a step: the picture stands still there, and may be saved as any other.

        Parameters
        ----------
        step : int
            The number of the step.

        Returns
        -------
        Figure
        """
        step = whole("step", step, 0)
        for artist in self._moving:
            MOVING[artist].at(step)
        for artist, dot in self._heads:
            place = MOVING[artist].head
            assert place is not None
            getattr(dot, "set_data_3d", dot.set_data)(*([v] for v in place(step)))
            dot.set_visible(step < MOVING[artist].last)
        told = [say(step) for artist in self._moving if (say := MOVING[artist].told)]
        self._count.set_text(told[0] if len(set(told)) == 1 else f"step {step:,}")
        return self.figure

    def save(self, path: str | Path) -> Path:
        """Write the film to a file; one that is interrupted leaves none.

        Parameters
        ----------
        path : str or Path
            A name ending in ``.mp4``, which needs ffmpeg, ``.gif``, or ``.html`` for a page with buttons.

        Returns
        -------
        Path
            The file.

        Raises
        ------
        UsageError
            If the suffix is unknown, the folder does not exist, or there is no ffmpeg.
        KeyboardInterrupt
            On Ctrl-C.
        """
        target = check_film(path)
        part = target.with_name(f".{target.stem}.{os.getpid()}{target.suffix.lower()}")
        try:
            self._write(part)
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
        return target

    def html(self) -> str:
        """Give the film as HTML with buttons, all frames inside.

        Returns
        -------
        str
        """
        if not self._page:
            with tempfile.TemporaryDirectory() as folder:
                self._write(Path(folder) / "film.html")
                self._page = (Path(folder) / "film.html").read_text(encoding="utf-8")
        return self._page

    def _repr_html_(self) -> str:
        return self.html()

    def _write(self, path: Path) -> None:
        """Write the frames; matplotlib's writers take them as pictures of one image."""
        width, height = self.figure.get_size_inches()
        screen = Figure(figsize=(width, height), dpi=self.figure.dpi)
        FigureCanvasAgg(screen)
        image: Any = None
        writer = _writer(path, self.fps)
        page = path.suffix == ".html"
        total = len(self.steps) + (0 if page else int(_PAUSE * self.fps))  # the end is seen for a while
        with interruptible() as asked, show_progress(total, "frame", wanted=self.progress) as tick:
            try:
                with writer.saving(screen, str(path), self.figure.dpi):
                    for number, pixels in enumerate(self._frames(total)):
                        if asked():
                            raise KeyboardInterrupt
                        if image is None:
                            image = screen.figimage(pixels)
                        image.set_data(pixels)
                        writer.grab_frame(**_FRAME if page else {})
                        tick(number + 1)
            except (OSError, CalledProcessError):  # Ctrl-C reaches ffmpeg too
                if asked():
                    raise KeyboardInterrupt from None
                raise

    def _frames(self, total: int) -> Iterator[NDArray[np.uint8]]:
        """Give the pixels of each frame: what stands still is drawn once, and what moves on a copy of it."""
        shown = self.figure.canvas
        canvas: Any = FigureCanvasAgg(self.figure)
        drawn = self._drawn()
        try:
            for artist in drawn:
                artist.set_animated(True)
            canvas.draw()  # leaves out what is animated
            still = canvas.copy_from_bbox(self.figure.bbox)
            pixels = np.asarray(canvas.buffer_rgba())
            for number in range(total):
                if number < len(self.steps):
                    self.at(int(self.steps[number]))
                    canvas.restore_region(still)
                    for artist in drawn:
                        if artist.get_visible():
                            (artist.axes or self.figure).draw_artist(artist)
                    pixels = np.asarray(canvas.buffer_rgba()).copy()
                yield pixels
        finally:
            for artist in drawn:
                artist.set_animated(False)
            self.figure.set_canvas(shown)

    def _drawn(self) -> list[Artist]:
        """Give what every frame draws: what moves, and what lies above that in its axes."""
        found: list[Artist] = [self._count]
        for ax in self._axes:
            parts = [child for child in ax.get_children() if isinstance(child, Line2D | Text | Collection | Legend)]
            moving = [part for part in parts if part in MOVING]
            lowest = min((part.get_zorder() for part in moving), default=np.inf)
            above = [part for part in parts if part.get_zorder() >= lowest and part is not ax.title]
            found += sorted(above, key=lambda part: part.get_zorder())
        return found


def _dot(artist: Any) -> Line2D:
    """Make the dot that goes along a line."""
    look = {"color": artist.get_color(), **_DOT}
    if hasattr(artist, "set_data_3d"):
        return artist.axes.plot([0], [0], [0], linestyle="", gid="head", **look)[0]  # type: ignore[no-any-return]
    return artist.axes.plot([], [], linestyle="", gid="head", **look)[0]  # type: ignore[no-any-return]


def _writer(path: Path, fps: Any) -> Any:
    if path.suffix == ".mp4":
        return FFMpegWriter(fps=fps, codec="h264", extra_args=["-pix_fmt", "yuv420p"])  # which every player has
    if path.suffix == ".gif":
        return PillowWriter(fps=fps)
    with rc_context(_PAGE):
        return HTMLWriter(fps=fps, embed_frames=True, default_mode="once", embed_limit=_EMBEDDED)


def check_film(path: str | Path) -> Path:
    """Refuse a file that no film can be written to, before any work is done.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    Path

    Raises
    ------
    UsageError
        If its suffix is unknown, its folder does not exist, or it takes ffmpeg and there is none.
    """
    target = files.checked(path, SUFFIXES, "the film")
    if target.suffix.lower() == ".mp4" and not FFMpegWriter.isAvailable():
        raise UsageError(
            f"'{safe(target.name)}' needs the program ffmpeg, which is not there: install it, or write .gif or .html"
        )
    return target
