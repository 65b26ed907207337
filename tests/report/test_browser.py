"""The pages in headless Chromium: their width on a phone and a desktop, what they load, what the script does."""

import json
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from report.made import Made
from reproid.report.site import write_report

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
OPTIONS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--allow-file-access-from-files"),
    *("--virtual-time-budget=20000", "--window-size=1400,900"),
]
# Every page in a frame as wide as a phone and as a desktop; what was measured ends up in the document.
HARNESS = """<!doctype html><meta charset="utf-8"><body><script>
const frames = [];
for (const page of PAGES) for (const width of [390, 1280]) {
  const frame = document.createElement("iframe");
  Object.assign(frame, {src: page, width, height: 800});
  frames.push(new Promise((done) => frame.addEventListener("load", () => done({page, width, frame}))));
  document.body.append(frame);
}
const measure = ({page, width, frame}) => {
  const inside = frame.contentDocument;
  const boxes = [...inside.querySelectorAll(".scroll")];
  const button = inside.querySelector(".cells .sort, .plain .sort");
  button?.click();
  return {
    page, width,
    scrollWidth: inside.scrollingElement.scrollWidth,
    loaded: frame.contentWindow.performance.getEntriesByType("resource").map((entry) => entry.name),
    scrolling: boxes.filter((box) => box.scrollWidth > box.clientWidth + 1).length,
    sorted: inside.querySelectorAll("th[aria-sort]").length,
    sortable: button ? 1 : 0,
    rows: [...(button?.closest("table").tBodies[0].rows ?? [])].map((row) => row.cells[0].textContent.trim()),
    copyButtons: inside.querySelectorAll(".copy").length,
    commands: inside.querySelectorAll("pre[data-copy]").length,
    font: parseFloat(frame.contentWindow.getComputedStyle(inside.body).fontSize),
  };
};
Promise.all(frames).then((all) => {
  const result = document.createElement("pre");
  result.id = "result";
  result.textContent = JSON.stringify(all.map(measure));
  document.body.append(result);
});
</script>"""


@pytest.fixture
def measured(made: Made, tmp_path: Path) -> list[dict[str, Any]]:
    """What Chromium says of every page at both widths."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine: the pages' layout cannot be measured")
    made.fill()
    run = made.entries("demo", "map")[0].run
    made.fail(run, "a very-long-reason-without-any-space-" * 10)
    made.write(f"logs/train/{run.dataset}/{run.run_id}.log", "x" * 400 + "\n")
    written = write_report(made.catalog(), made.read(), made.root / "reports")
    pages = [page for page in written if not page.startswith("datasets/") or "-mars" in page]
    harness = made.root / "reports" / "harness.html"
    harness.write_text(HARNESS.replace("PAGES", json.dumps(pages)), encoding="utf-8")
    command = [CHROMIUM, *OPTIONS, f"--user-data-dir={tmp_path / 'chromium'}", "--dump-dom", harness.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    found = re.search(r'<pre id="result">(.*?)</pre>', done.stdout, flags=re.DOTALL)
    assert found, f"Chromium measured nothing; exit code {done.returncode}: {done.stderr[-2000:]}"
    result: list[dict[str, Any]] = json.loads(unescape(found[1]))
    assert len(result) == 2 * len(pages)
    return result


@pytest.mark.browser
def test_pages_in_a_browser_fit_load_nothing_and_sort(measured: list[dict[str, Any]]) -> None:
    wide = [(page["page"], page["width"], page["scrollWidth"]) for page in measured if page["scrollWidth"] > page["width"]]
    assert wide == []
    assert [name for page in measured for name in page["loaded"] if not name.startswith(("file:", "data:"))] == []
    phone = {page["page"]: page for page in measured if page["width"] == 390}
    assert phone["papers/psformer.html"]["scrolling"] >= 1  # wide tables scroll in a box of their own, or they would be cut
    assert all(page["sorted"] == page["sortable"] for page in measured)
    rows = phone["papers/psformer.html"]["rows"]
    assert rows == sorted(rows, key=str.casefold)
    assert rows[0].startswith("GRL")
    assert all(page["copyButtons"] == page["commands"] for page in measured)
    assert all(page["font"] >= 16 for page in measured)
