"""Films: what moves, which steps are shown, what is written, and what is left behind."""

import re
import signal
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from symgd import Objective, UsageError, fit
from symgd.plotting import animate, plot_objective, plot_run, plot_runs

BOWL = Objective("0.2*x1**2 + x2**2")
RUN = BOWL.minimize([9, -3], lr=0.8, steps=30)


def lines(ax, gid):
    return [line for line in ax.lines if line.get_gid() == gid]


def small():
    return Figure(figsize=(3, 2), dpi=50).subplots()


def test_a_step_shows_the_path_so_far_and_the_end_only_at_the_end():
    ax = small()
    film = animate(plot_run(RUN, ax=ax))
    (path,), (head,), (end,), (start,) = (lines(ax, gid) for gid in ("path", "head", "end", "start"))
    for step in (0, 1, 7, 29):
        assert film.at(step) is ax.figure
        np.testing.assert_array_equal(path.get_xydata(), RUN.history.point[: step + 1])
        np.testing.assert_array_equal(head.get_xydata(), RUN.history.point[step : step + 1])
        assert head.get_visible()
        assert start.get_visible()
        assert not end.get_visible()
    film.at(30)
    assert end.get_visible()
    assert not head.get_visible()
    assert any(text.get_text() == "step 30" for text in ax.figure.texts)


def test_a_path_that_leaves_is_animated_up_to_the_edge():
    ax = small()
    film = animate(plot_run(BOWL.minimize([9, -3], lr=1.05, steps=60), ax=ax))
    (path,) = lines(ax, "path")
    assert film.steps[0] == 0
    shown = len(path.get_xydata())
    film.at(2)
    assert len(path.get_xydata()) == 3 < shown
    assert not any(text.get_visible() for text in ax.texts if text.get_gid() == "leaves")


def test_runs_side_by_side_move_together():
    axes = plot_runs([BOWL.minimize([9, -3], lr=lr, steps=n) for lr, n in ((0.1, 12), (0.8, 20))])
    film = animate(axes)
    assert list(film.steps) == list(range(21))
    film.at(15)
    assert [len(lines(ax, "path")[0].get_xydata()) for ax in axes] == [13, 16]


@pytest.mark.parametrize("kind", ["loss", "parameters", "surface"])
def test_every_picture_of_a_run_moves(kind):
    film = animate(plot_run(RUN, ax=small(), kind=kind))
    film.at(3)
    data = [getattr(line, "get_data_3d", line.get_data)() for ax in film.figure.axes for line in ax.lines]
    assert sum(len(np.asarray(columns[0])) == 4 for columns in data) == 2


def test_the_model_moves_onto_the_data():
    x = np.linspace(-2, 2, 30)
    f = Objective("mean((y - (w*x + b))**2)", {"x": x, "y": 2 * x + 1}, ["w", "b"])
    run = f.minimize([0, 0], lr=0.1, steps=20)
    ax = small()
    film = animate(run.plot(ax, kind="both"))
    (curve,) = lines(ax, "curve")
    for step in (0, 5, 20):
        film.at(step)
        w, b = run.history.point[step]
        np.testing.assert_allclose(curve.get_ydata(), w * np.asarray(curve.get_xdata()) + b, atol=1e-12)


def test_a_fit_moves_from_its_start_to_its_end():
    x = np.linspace(0.1, 4, 30)
    found = fit("a/(1 + exp(b - c*x))", {"x": x, "y": 3 / (1 + np.exp(2 - 1.5 * x))}, start={"a": 1, "b": 1, "c": 1})
    ax = small()
    film = animate(found.plot(ax, residuals=False))
    film.at(int(film.steps[-1]))
    (curve,) = lines(ax, "curve")
    np.testing.assert_allclose(curve.get_ydata(), found.predict({"x": np.asarray(curve.get_xdata())}), rtol=1e-6)


def test_a_tangent_goes_along_its_curve_with_the_slope_of_the_derivative():
    f = Objective("x*cos(x) + 9")
    ax = small()
    film = animate(plot_objective(f, {"x": (-3, 5)}, ax, at=[0]))
    (line,) = lines(ax, "tangent")
    for step in (0, 31, 100):
        film.at(step)
        (x0, x1), (y0, y1) = line.get_data()
        middle = (x0 + x1) / 2
        assert middle == pytest.approx(-3 + 8 * step / 100)
        assert (y1 - y0) / (x1 - x0) == pytest.approx(f.gradient_at(x=middle)["x"])


@given(st.integers(1, 5000), st.integers(2, 200))
@settings(deadline=None, max_examples=30)
def test_frames_begin_at_the_start_and_end_at_the_end(last, frames):
    ax = small()
    steps = np.arange(last + 1)
    from symgd.plotting import motion

    (line,) = ax.plot(steps, steps)
    motion.grow(line, steps, np.column_stack([steps, steps]).astype(float))
    found = animate(ax, frames=frames).steps
    assert found[0] == 0
    assert found[-1] == last
    assert (np.diff(found) > 0).all()
    assert len(found) <= frames + (frames // 20) + 2
    assert len(found) >= min(frames, last + 1) - 1


# ---- files -----------------------------------------------------------------------------------------------------------


def test_gif_has_the_frames(tmp_path):
    path = RUN.animate(tmp_path / "run.gif", ax=small(), frames=range(0, 31, 5), fps=10)
    assert path.steps.tolist() == [0, 5, 10, 15, 20, 25, 30]
    with Image.open(tmp_path / "run.gif") as image:
        assert image.size == (150, 100)
        assert image.n_frames >= 7
        first = np.asarray(image.convert("RGB")).copy()
        image.seek(6)
        assert (first != np.asarray(image.convert("RGB"))).any()
    assert [path.name for path in tmp_path.iterdir()] == ["run.gif"]


def test_a_frame_is_what_the_picture_is_at_its_step(tmp_path):
    ax = small()
    film = RUN.animate(ax=ax, frames=[4, 9])
    pixels = list(film._frames(2))
    film.at(9)
    canvas = FigureCanvasAgg(ax.figure)
    canvas.draw()
    np.testing.assert_array_equal(pixels[1], np.asarray(canvas.buffer_rgba()))


def test_html_is_a_page_with_all_frames():
    film = RUN.animate(ax=small(), frames=[0, 10, 30])
    page = film._repr_html_()
    assert len(re.findall(r"frames\[\d+\] = \"data:image/jpeg", page)) == 3
    assert film._repr_html_() is page


def test_mp4_where_ffmpeg_is(tmp_path):
    from matplotlib.animation import FFMpegWriter

    if not FFMpegWriter.isAvailable():
        pytest.skip("there is no ffmpeg")
    RUN.animate(tmp_path / "run.mp4", ax=small(), frames=5)
    assert (tmp_path / "run.mp4").read_bytes()[4:8] == b"ftyp"


def test_without_ffmpeg_it_is_said_before_any_work(tmp_path, monkeypatch):
    monkeypatch.setattr("matplotlib.animation.FFMpegWriter.isAvailable", classmethod(lambda cls: False))
    with pytest.raises(UsageError, match=r"'run\.mp4' needs the program ffmpeg"):
        RUN.animate(tmp_path / "run.mp4")


@pytest.mark.skipif(threading.current_thread() is not threading.main_thread(), reason="signals go to the main thread")
def test_ctrl_c_leaves_no_half_file(tmp_path):
    film = RUN.animate(ax=small())
    at, seen = film.at, []

    def interrupted(step):
        if len(seen) == 3:
            signal.raise_signal(signal.SIGINT)
        seen.append(step)
        return at(step)

    film.at = interrupted
    (tmp_path / "run.gif").write_bytes(b"an older film")
    with pytest.raises(KeyboardInterrupt):
        film.save(tmp_path / "run.gif")
    assert [path.name for path in tmp_path.iterdir()] == ["run.gif"]
    assert Path(tmp_path / "run.gif").read_bytes() == b"an older film"
    assert not any(artist.get_animated() for artist in film.figure.axes[0].lines)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: animate(small()), "nothing in this picture moves"),
        (lambda: animate([]), "animate takes Axes, a list of them, or a Figure"),
        (lambda: RUN.animate(ax=small(), frames=1), "frames=1 must be a whole number of at least 2"),
        (lambda: RUN.animate(ax=small(), fps=0), "fps=0 must be"),
        (lambda: RUN.animate("run.avi"), r"the film 'run\.avi' must end in \.mp4, \.gif or \.html"),
        (lambda: RUN.animate("nowhere/run.gif"), "there is no folder 'nowhere' for the film 'run.gif'"),
    ],
)
def test_what_cannot_be_animated_is_told(call, message):
    with pytest.raises(UsageError, match=message):
        call()
