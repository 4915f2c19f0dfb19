"""A page of stored results in a real browser: no errors, a phone's width, sorting, sliders. Run by `make browser`."""

import json
import shutil

import pytest

from spikesim.page.write import write
from spikesim.sweep.run import run_spec
from spikesim.sweep.spec import Spec
from spikesim.sweep.store import Store

selenium = pytest.importorskip("selenium", reason="selenium is not installed: `make browser`")
CHROMIUM, DRIVER = shutil.which("chromium") or shutil.which("google-chrome"), shutil.which("chromedriver")
pytestmark = [
    pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="no chromium and chromedriver on the path"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
TABLE = {
    "title": "A page for a browser",
    "model": {"shape": [6, 8], "spikes": [6.0], "noise": {"law": "Gaussian", "sigma": 0.5}},
    "grid": {"noise.sigma": [0.5, 1.0, 2.0]},
    "run": {"windows": [1, 3, 9], "trials": 6, "steps": 30, "observables": ["alignment", "tail"]},
}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    made = Store(tmp_path_factory.mktemp("browser") / "run é")
    run_spec(Spec.from_dict(TABLE), made)
    write(made.folder)
    return made


@pytest.fixture(scope="module")
def driver():
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1280,900"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    found = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    yield found
    found.quit()


@pytest.fixture
def page(driver, store):
    driver.get((store.folder / "report.html").resolve().as_uri())
    return driver


def cells(page, column):
    script = "return [...document.querySelectorAll('table.means tbody tr')].map(r => r.cells[arguments[0]].dataset.value)"
    return [float(x) for x in page.execute_script(script, column)]


def means_button(page):
    return page.find_element("css selector", "table.means thead th:nth-child(6) button")


def test_nothing_is_complained_of(page):
    assert page.get_log("browser") == []


@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_is_no_wider_than_the_screen(page, width):
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                         {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False})  # fmt: skip
    page.refresh()
    inner, wide = page.execute_script("return [innerWidth, document.documentElement.scrollWidth]")
    page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert inner == width
    assert wide <= width


def test_a_click_sorts_and_enter_turns_it_round(page):
    from selenium.webdriver.common.keys import Keys

    before = cells(page, 5)
    assert before != sorted(before)
    means_button(page).click()
    assert cells(page, 5) == sorted(before)
    assert page.find_element("css selector", "table.means thead th:nth-child(6)").get_attribute("aria-sort") == "ascending"
    means_button(page).send_keys(Keys.ENTER)
    assert cells(page, 5) == sorted(before, reverse=True)
    assert page.find_element("css selector", "table.means thead th:nth-child(6)").get_attribute("aria-sort") == "descending"


def test_sliders_show_the_numbers_of_the_store(page, store):
    rows = {(r["noise.sigma"], r["pipeline"], r["window"]): r for r in store.table(["alignment"]).to_pylist()}
    find = "const x = document.querySelector(`[data-axis='${arguments[0]}']`)"
    set_to = f"{find}; x.value = arguments[1]; x.dispatchEvent(new Event('input'))"
    read = "return [...document.querySelectorAll('.slider tbody tr')].map(r => [...r.cells].map(c => c.textContent))"
    for i, sigma in enumerate([0.5, 1.0, 2.0]):
        for k, window in enumerate([1.0, 3.0, 9.0]):
            page.execute_script(set_to, "noise.sigma", i)
            page.execute_script(set_to, "T", k)
            shown = page.execute_script(read)
            assert len(shown) == 4
            for pipeline, measured, _theory in shown:
                mean, error = (float(x) for x in measured.split(" ± "))
                row = rows[sigma, pipeline, window]
                assert mean == pytest.approx(row["mean"], rel=1e-3)
                assert error == pytest.approx(row["standard_error"], rel=0.06, abs=1e-12)
            assert f"T = {window:g}" in page.find_element("css selector", ".where").text


def test_arrow_keys_move_a_slider(page):
    from selenium.webdriver.common.keys import Keys

    slider = page.find_element("css selector", "[data-axis='T']")
    before = page.find_element("css selector", ".slider tbody").text
    slider.send_keys(Keys.ARROW_RIGHT)
    assert slider.get_attribute("aria-valuetext") == "3"
    assert page.find_element("css selector", ".slider tbody").text != before


def test_pictures_are_shown_and_said(page):
    found = page.execute_script("return [...document.images].map(x => [x.naturalWidth, x.alt])")
    assert found
    assert all(width > 0 and "at T = " in alt for width, alt in found)
    said = page.execute_script("return [...document.querySelectorAll('svg')].map(x => x.getAttribute('aria-label'))")
    assert said
    assert all("±" in x for x in said)


@pytest.mark.parametrize("width", [360, 1280])
def test_pictures_fit_the_screen_whole_and_large_enough(page, width):
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                         {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False})  # fmt: skip
    script = """return [...document.images, ...document.querySelectorAll('.plot svg')].map(x => x.getBoundingClientRect())
        .map(r => [r.left, r.right, r.width])"""
    found = page.execute_script(script)
    scrolled = page.execute_script("return [...document.querySelectorAll('figure')].map(x => x.scrollWidth - x.clientWidth)")
    page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert all(left >= 0 and right <= width and wide >= 300 for left, right, wide in found)
    assert set(scrolled) == {0}


def test_the_chart_names_its_axes_and_ticks_the_windows(page):
    texts = page.execute_script("return [...document.querySelectorAll('.plot text')].map(x => x.textContent)")
    assert {"mean alignment", "window T (steps)", "pre-polar"} <= set(texts)
    ticks = page.execute_script("return [...document.querySelectorAll('.plot .tick')].map(x => x.textContent)")
    assert sorted(ticks, key=float) == ["1", "3", "9"]
    sizes = page.execute_script(
        "return [...document.querySelectorAll('.plot text')].map(x => x.getBoundingClientRect()).map(r => [r.left, r.right])"
    )
    box = page.execute_script(
        "const r = document.querySelector('.plot svg').getBoundingClientRect(); return [r.left, r.right]"
    )
    assert all(box[0] <= left and right <= box[1] for left, right in sizes)


def test_the_spec_is_copied_or_selected(page):
    button = page.find_element("css selector", "button.copy")
    page.execute_script("arguments[0].scrollIntoView()", button)
    button.click()
    from selenium.webdriver.support.ui import WebDriverWait

    said = page.find_element("css selector", "button.copy + [role=status]")
    WebDriverWait(page, 5).until(lambda _: said.text)
    assert said.text in ("copied", "selected: copy it by hand")
    assert json.loads(page.execute_script("return document.querySelector('.data').textContent"))["points"]
