"""The pages in a real browser, with its scripts and its keyboard; where there is none, this says so."""

import os
import shutil
import threading

import pytest
from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support import expected_conditions as met
from selenium.webdriver.support.ui import WebDriverWait

from flows.run import resume
from tests.api.pages.conftest import SMALL

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
CHROMEDRIVER = shutil.which("chromedriver")
ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1100,900",
)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (CHROMIUM and CHROMEDRIVER),
        reason="the pages were not tried in a browser: there is no chromium with a chromedriver here",
    ),
]


class Browser:
    """A browser of a test's own."""

    def __init__(self, folder, url) -> None:
        options = webdriver.ChromeOptions()
        options.binary_location = CHROMIUM
        for argument in (*ARGUMENTS, f"--user-data-dir={folder / 'profile'}"):
            options.add_argument(argument)
        self.downloads = folder / "downloads"
        options.add_experimental_option("prefs", {"download.default_directory": str(self.downloads)})
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(options, webdriver.ChromeService(CHROMEDRIVER))
        self.url = url

    def get(self, path):
        self.driver.get(self.url + path)

    @property
    def text(self):
        return self.driver.find_element(By.TAG_NAME, "main").text

    @property
    def path(self):
        return self.driver.current_url.removeprefix(self.url)

    def find(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def button(self, text):
        """The button or link with this text."""
        wanted = f"//*[self::button or self::a or self::summary][normalize-space()={text!r}]"
        return self.driver.find_element(By.XPATH, wanted)

    def until(self, condition, what):
        # What was found may be replaced before it is read, which the driver tells in more than one way.
        waiting = WebDriverWait(self.driver, 60, 0.1, ignored_exceptions=[WebDriverException])
        return waiting.until(condition, what)

    def until_text(self, text):
        self.until(met.text_to_be_present_in_element((By.TAG_NAME, "main"), text), f"{text!r} never came")

    def complaints(self):
        """What the browser found wrong with the pages, such as something that the policy forbids."""
        return [line["message"] for line in self.driver.get_log("browser") if line["level"] == "SEVERE"]

    def sign_in(self, token):
        self.get("/ui/sign-in")
        # The field has the focus: nothing but a keyboard is needed.
        self.driver.switch_to.active_element.send_keys(token, Keys.ENTER)
        self.until(met.title_contains("imports"), "signing in led nowhere")

    def upload(self, path, definition):
        self.get(f"/ui/upload?definition={definition}")
        self.find("#file").send_keys(str(path))
        self.find("#upload button").click()
        self.until(lambda _: self.path.startswith("/ui/jobs/"), "the upload led to no job")
        return self.path.rpartition("/")[2]


@pytest.fixture
def browser(tmp_path, service, monkeypatch):
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    browser = Browser(tmp_path, service.url)
    yield browser
    browser.driver.quit()


@pytest.fixture
def worked(service):
    """Brings a job to its end beside the test, as a worker does."""
    threads = []

    def begin(job_id):
        threads.append(threading.Thread(target=resume, args=(service.settings, job_id)))
        threads[-1].start()

    yield begin
    for thread in threads:
        thread.join()


@pytest.fixture
def march(tmp_path):
    path = tmp_path / "march.csv"
    path.write_bytes(SMALL)
    return path


def test_a_file_is_uploaded_watched_to_its_end_and_its_failed_rows_fetched(
    browser, service, tenant, define, march, worked
):
    define()
    browser.sign_in(service.key(tenant).token)
    browser.button("Upload a file").click()
    browser.find("#definition").send_keys("things")
    browser.find("#file").send_keys(str(march))
    browser.find("#upload button").click()
    browser.until_text("Waiting for a worker.")
    job_path = browser.path
    page = browser.find("main")
    worked(job_path.rpartition("/")[2])
    browser.until_text("What was wrong")
    assert "Finished: 3 rows, 1 created, 2 failed." in browser.text
    assert (browser.path, browser.find("main")) == (job_path, page)  # the page was not loaded anew
    assert "Finished: 3 rows" in browser.find("#said").get_attribute("textContent")
    assert "row 3, column C amount not a whole number" in " ".join(browser.text.split())
    assert browser.find("rect.failed").size["width"] > 0
    browser.until(lambda _: browser.button("Download the failed rows"), "the failed rows never came")
    browser.button("Download the failed rows").click()
    rows = browser.downloads / "march-failed-rows.csv"
    browser.until(lambda _: rows.exists(), "the file of failed rows never came")
    assert [line.split(",")[0] for line in rows.read_text("utf-8-sig").splitlines()] == ["Id", "2", "3"]
    browser.button("Run again").click()
    browser.until_text("Waiting for a worker.")
    assert browser.path not in {job_path, f"{job_path}/run-again"}
    assert browser.complaints() == []


def test_a_job_is_cancelled_after_it_was_asked_whether_that_is_meant(
    browser, service, tenant, define, march, worked
):
    define()
    browser.sign_in(service.key(tenant).token)
    job_id = browser.upload(march, "things")
    asked = browser.button("Cancel this import")
    assert not asked.is_displayed()
    browser.button("Cancel").send_keys(Keys.ENTER)
    browser.until(lambda _: asked.is_displayed(), "the question never came")
    asked.click()
    browser.until_text("cancelling")
    worked(job_id)
    browser.until_text("job.cancelled")
    assert "Cancelled: " in browser.text
    assert browser.driver.find_elements(By.CSS_SELECTOR, "[action$=cancel]") == []
    assert browser.complaints() == []


def test_a_refused_upload_says_why_and_the_form_keeps_all_that_was_chosen(
    browser, service, tenant, define, march
):
    define()
    define(name="keyless", key=[], mode="insert", destination={"table": "keyless"})
    browser.sign_in(service.key(tenant).token)
    browser.get("/ui/upload?definition=keyless")
    browser.find("[name=mode][value=upsert]").click()
    browser.find("#file").send_keys(str(march))
    browser.find("#upload button").click()
    browser.until_text("Not taken: mode 'upsert' needs a 'key'")
    assert browser.find("#file").get_property("files")[0]["name"] == "march.csv"
    assert browser.find("[name=mode][value=upsert]").is_selected()
    browser.driver.execute_script("document.getElementById('upload').dataset.limit = 5")
    browser.find("#upload button").click()
    browser.until_text("march.csv is larger than 1 GiB, the limit")
    assert browser.find("#upload button").is_enabled()


def test_a_file_that_is_dropped_on_the_page_is_taken(browser, service, tenant, define):
    define()
    browser.sign_in(service.key(tenant).token)
    browser.get("/ui/upload?definition=things")
    browser.driver.execute_script(
        """
        const dropped = new DataTransfer();
        dropped.items.add(new File(["Id\\n1\\n"], "dropped.csv"));
        document.querySelector(".drop").dispatchEvent(
            new DragEvent("drop", { dataTransfer: dropped, bubbles: true, cancelable: true }));
        """
    )
    browser.find("#upload button").click()
    browser.until_text("dropped.csv")
    assert browser.path.startswith("/ui/jobs/")


def test_the_list_follows_its_imports_by_itself(browser, service, tenant, define, march, worked):
    define()
    browser.sign_in(service.key(tenant).token)
    job_id = browser.upload(march, "things")
    browser.get("/ui")
    assert "waiting" in browser.text
    worked(job_id)
    browser.until_text("1 created, 2 failed")
    assert browser.complaints() == []


def test_hostile_names_run_nothing(browser, service, tenant, define, tmp_path, worked):
    define()
    browser.sign_in(service.key(tenant).token)
    hostile = tmp_path / "<img src=x onerror=document.title='run'>.csv"
    hostile.write_text("Id,Name,Amount\n1,a,\"<script>document.title='run'</script>\"\n")
    worked(browser.upload(hostile, "things"))
    browser.until_text("Finished: 1 row, 1 failed.")
    assert "<script>document.title='run'</script>" in browser.text
    browser.get("/ui")
    assert "<img src=x onerror" in browser.text
    assert browser.driver.title == "Recent imports · Lading"
    assert browser.complaints() == []


def test_the_pages_work_on_a_narrow_screen_without_scrolling_sideways(
    browser, service, tenant, define, march, worked
):
    define()
    browser.driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": 360, "height": 740, "deviceScaleFactor": 1, "mobile": True},
    )
    browser.sign_in(service.key(tenant).token)
    worked(browser.upload(march, "things"))
    browser.until_text("Finished: 3 rows, 1 created, 2 failed.")
    for path in (browser.path, "/ui", "/ui/upload", "/ui/definitions"):
        browser.get(path)
        assert browser.driver.execute_script("return document.documentElement.scrollWidth") <= 360
