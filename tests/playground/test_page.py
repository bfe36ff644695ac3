"""Pages to play with: what stands in them, what is refused, and what they do in a browser."""

import json
import re
import shutil
import warnings

import numpy as np
import pytest

import symgd as sg
from symgd.playground import MOST

pytest.importorskip("plotly")

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FORMULAS = {
    "sin(x)*sin(y)": ({"x": 1.0, "y": -0.5}, None),
    "100*(y - x**2)**2 + (1 - x)**2": ({"x": -1.2, "y": 1.0}, {"x": (-2, 2), "y": (-1, 3)}),
    "x**4 - 3*x**2 + x": ({"x": 1.9}, None),
}
METHODS = {"gd": {"lr": 0.001}, "momentum": {"lr": 0.0005, "beta": 0.8}, "adam": {"lr": 0.05}}


def settings_of(page):
    text = re.search(r'<script type="application/json" id="settings">(.*?)</script>', page, re.DOTALL)[1]
    return json.loads(text.replace("<\\/", "</"))


# ---- what stands in a page -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", list(FORMULAS))
def test_a_page_is_one_file_that_asks_for_nothing(text):
    start, ranges = FORMULAS[text]
    page = sg.Objective(text).playground(start=start, ranges=ranges)
    assert len(page.encode()) < MOST
    ours = re.sub(r"<script>/\*\*.*?</script>", "", page, flags=re.DOTALL)  # Plotly's own text names its home
    assert not re.search(r"""(src|href)=["']?(https?:)?//""", ours)
    found = settings_of(page)
    assert dict(zip(found["names"], found["start"], strict=True)) == start
    for name, (low, high) in zip(found["names"], found["ranges"], strict=True):
        assert low < start[name] < high


def test_start_and_minimum_are_inside_of_the_window():
    f = sg.Objective("(x - 30)**2 + 4*(y + 7)**2")
    found = settings_of(f.playground(start={"x": 0, "y": 0}))
    for name, (low, high) in zip(found["names"], found["ranges"], strict=True):
        assert low < 0 < high
        assert low < f.minimize({"x": 0, "y": 0}).point[name] < high


def test_what_the_formula_says_stays_text():
    page = sg.Objective("where(x<0, -x, x**2)").playground()
    assert "<title>where(x&lt;0, -x, x**2) - symgd</title>" in page
    assert settings_of(page)["formula"] == "where(x<0, -x, x**2)"


def test_data_and_model_stand_beside_the_landscape():
    x = np.linspace(0, 4, 30)
    f = sg.Objective("mean((y - (w*x + b))**2)", {"x": x, "y": 1.5 * x - 1})
    found = settings_of(f.playground())["data"]
    assert found["column"], found["target"] == ("x", "y")
    assert found["x"] == x.tolist()
    assert found["order"] == [-1, *(["w", "b"].index(name) for name in ("w", "b"))]
    assert settings_of(sg.Objective("x**2").playground(start=[1]))["data"] is None


@pytest.mark.parametrize(
    ("text", "data", "options", "message"),
    [
        ("x**2 + y**2 + z**2", None, {}, "one or two parameters; the formula has 3"),
        ("x**2", None, {"ranges": {"y": (0, 1)}}, "'y'"),
        ("x**2", None, {"ranges": {"x": (1, 0)}}, "range"),
        ("x**2", None, {"rule": "nothing"}, "nothing"),
        ("x**2", None, {"rule": "x = x - lr*(g + normal())"}, "draws"),
        ("mean((y - w*x)**2)", {"x": np.arange(2e5), "y": np.arange(2e5)}, {}, "take a sample of the rows"),
    ],
)
def test_what_is_refused(text, data, options, message):
    with pytest.raises(sg.SymgdError, match=re.escape(message)):
        sg.Objective(text, data).playground(**options)


def test_a_file_that_cannot_be_written(tmp_path):
    with pytest.raises(sg.UsageError, match="cannot be written"):
        sg.Objective("x**2").playground(tmp_path / "none" / "page.html")


# ---- in a browser --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def browser():
    driver = pytest.importorskip("playwright.sync_api", reason="no playwright: pip install playwright")
    if BROWSER is None:
        warnings.warn(pytest.PytestWarning("no Chromium: pages are not driven"), stacklevel=1)
        pytest.skip("no Chromium: apt-get install chromium")
    with driver.sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu", "--enable-unsafe-swiftshader"]
        found = playwright.chromium.launch(executable_path=BROWSER, args=flags)
        yield found
        found.close()


@pytest.fixture
def opened(browser, tmp_path):
    """Open a page of an objective; at the end, there must have been neither an error nor a request."""
    seen, pages = [], []

    def go(f, width=1300, hash="", **options):  # noqa: A002
        path = tmp_path / "page.html"
        f.playground(path, **options)
        page = browser.new_page(viewport={"width": width, "height": 850})
        page.set_default_timeout(120_000)
        page.on("console", lambda message: seen.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: seen.append(str(error)))
        local = ("file:", "data:", "blob:")
        page.on("request", lambda request: None if request.url.startswith(local) else seen.append(request.url))
        page.goto(path.as_uri() + hash)
        page.wait_for_selector("#map .main-svg")
        pages.append(page)
        return page

    yield go
    for page in pages:
        page.close()
    assert not seen


@pytest.mark.parametrize("text", list(FORMULAS))
def test_steps_are_those_of_symgd(text, opened):
    start, ranges = FORMULAS[text]
    f = sg.Objective(text)
    page = opened(f, start=start, ranges=ranges)
    for method, numbers in METHODS.items():
        page.select_option("#method", method)
        page.evaluate("numbers => Object.assign(state.numbers, numbers)", numbers)
        page.click("#reset")
        page.evaluate("take(50)")
        run = f.minimize(start, method=method, steps=50, **numbers)
        point = page.evaluate("Array.from(state.descents[0].run.point)")
        names = page.evaluate("settings.names")
        assert point == pytest.approx([run.point[name] for name in names], rel=1e-12, abs=1e-12)
        assert page.inner_text("#readings tr:first-child td") == "50"


def test_keys_and_clicks(opened):
    page = opened(sg.Objective("x**2 + 3*y**2"), start={"x": 2, "y": 1})
    steps = "state.descents[0].steps"
    page.keyboard.press("s")
    page.click("#step")
    assert page.evaluate(steps) == 2
    page.keyboard.press("r")
    assert page.evaluate(steps) == 0
    page.keyboard.press("Space")
    page.wait_for_function(f"{steps} > 3")
    page.keyboard.press("Space")
    stopped = page.evaluate(steps)
    page.wait_for_timeout(200)
    assert page.evaluate(steps) == stopped
    box = page.locator("#map .nsewdrag").bounding_box()
    page.mouse.click(box["x"] + 0.25 * box["width"], box["y"] + 0.25 * box["height"])
    (x, y), ((left, right), (low, high)) = page.evaluate("[state.starts[0], [view.x, view.y]]")
    assert x == pytest.approx(left + 0.25 * (right - left), abs=0.01 * (right - left))
    assert y == pytest.approx(low + 0.75 * (high - low), abs=0.01 * (high - low))
    page.keyboard.down("Shift")
    page.mouse.click(box["x"] + 0.5 * box["width"], box["y"] + 0.5 * box["height"])
    page.keyboard.up("Shift")
    assert page.evaluate("state.starts.length") == 2
    page.focus("#map")
    for key in ("ArrowLeft", "ArrowUp", "Enter"):
        page.keyboard.press(key)
    assert page.evaluate("state.starts.length") == 1
    page.keyboard.press("m")
    assert page.evaluate("state.descents.length") == 16


def test_a_learning_rate_beyond_what_is_stable_is_told(opened):
    page = opened(sg.Objective("x**2 + 5*y**2"), start={"x": 2, "y": 1})
    assert not page.is_visible("#warning")
    page.evaluate("choose('lr', 0.21)")
    assert "0.21 is above 0.2" in page.inner_text("#warning")
    page.evaluate("take(4000)")
    assert "left the numbers" in page.inner_text("#warning")


@pytest.mark.parametrize(("method", "limit"), [("gd", 0.2), ("momentum", 0.36)])
def test_the_largest_stable_rate_and_the_factors_are_those_of_theory(opened, method, limit):
    page = opened(sg.Objective("x**2 + 5*y**2"), start={"x": 2, "y": 1})
    page.select_option("#method", method)
    page.evaluate("Object.assign(state.numbers, state.method === 'momentum' ? {lr: 0.05, beta: 0.8} : {lr: 0.05})")
    assert page.evaluate("stableRate([0.3, 0.4])") == pytest.approx(limit, rel=1e-9)
    rule = sg.Rule("v = beta*v - lr*g; x = x + v", beta=0.8) if method == "momentum" else sg.Rule("x = x - lr*g")
    wanted = [rule.theory(smallest=v, largest=v, lr=0.05).rate for v in (2.0, 10.0)]
    assert [mode["rate"] for mode in page.evaluate("rates([0.3, 0.4])")] == pytest.approx(wanted, rel=1e-9)


def test_the_address_brings_the_same_picture_back(opened):
    f = sg.Objective("sin(x)*sin(y)")
    page = opened(f, start={"x": 1, "y": -0.5})
    page.evaluate("take(7)")
    page.select_option("#method", "momentum")
    page.evaluate("choose('beta', 0.7)")
    page.click("#step")
    kept, point = page.evaluate("[location.hash, Array.from(state.descents[0].run.point)]")
    again = opened(f, start={"x": 0, "y": 0.1}, hash=kept)
    assert again.evaluate("Array.from(state.descents[0].run.point)") == point
    assert again.evaluate("[state.method, state.numbers.beta, state.descents[0].steps]") == ["momentum", 0.7, 8]


def test_a_narrow_page_does_not_scroll_sideways(opened):
    x = np.linspace(0, 4, 30)
    f = sg.Objective("mean((y - (w*x + b))**2)", {"x": x, "y": 1.5 * x - 1})
    page = opened(f, width=390)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    w, b = page.evaluate("Array.from(state.descents[0].run.point)")
    line = page.evaluate("document.getElementById('data').data[1].y")
    assert line[0] == pytest.approx(b, abs=1e-9)
    assert line[-1] == pytest.approx(4 * w + b, abs=1e-9)


def test_a_curve_has_a_tangent(opened):
    page = opened(sg.Objective("x**4 - 3*x**2 + x"), start={"x": 1.9})
    xs, ys = page.evaluate("(({x, y}) => [x, y])(tangent(state.descents[0], '#000'))")
    assert (ys[1] - ys[0]) / (xs[1] - xs[0]) == pytest.approx(4 * 1.9**3 - 6 * 1.9 + 1)
