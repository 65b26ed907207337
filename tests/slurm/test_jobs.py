"""Jobs that do not end as planned, on a real SLURM: they end right all the same."""

import html
import json
import re
from concurrent.futures import Future
from pathlib import Path

from support.on_cluster import OnCluster, Undisturbed

Started = dict[str, "Future[OnCluster]"]


def of_rule(checkout: OnCluster, rule: str) -> list[dict[str, str]]:
    """Return the jobs of a rule or a group, oldest first, by the comment that the executor gives them."""
    return [job for job in checkout.jobs() if re.match(f"rule_{rule}_|rule_.*_{rule}(_|$)", job["Comment"])]


def manifest(checkout: OnCluster, undisturbed: Undisturbed) -> dict:
    return json.loads((checkout.folder / undisturbed.path(undisturbed.trained, "manifest.json")).read_text())


def test_job_over_its_memory_succeeds_with_more(started: Started) -> None:
    checkout = started["short_of_memory_and_time"].result()
    first, second = of_rule(checkout, "index")
    assert first["JobState"] in ("OUT_OF_MEMORY", "FAILED", "CANCELLED")
    assert second["JobState"] == "COMPLETED"
    assert [job["MinMemoryNode"] for job in (first, second)] == ["1000M", "2000M"]


def test_job_over_its_time_succeeds_with_more(started: Started) -> None:
    checkout = started["short_of_memory_and_time"].result()
    first, second = of_rule(checkout, "cost")
    assert [job["JobState"] for job in (first, second)] == ["TIMEOUT", "COMPLETED"]
    assert [job["TimeLimit"] for job in (first, second)] == ["00:01:00", "00:02:00"]


def test_training_longer_than_its_job_goes_on_in_the_next_by_itself(started: Started, undisturbed: Undisturbed) -> None:
    checkout = started["longer_than_its_job"].result()
    job = checkout.jobs()[-1]  # before it there is none, unless the machine was too busy to do one step in a minute
    assert job["JobState"] == "COMPLETED"
    assert int(job["Restarts"]) >= 1
    assert manifest(checkout, undisturbed)["sessions"] >= int(job["Restarts"]) + 1
    undisturbed.check(checkout, undisturbed.trained)


def test_training_preempted_and_cancelled_resumes_to_the_same_bytes(started: Started, undisturbed: Undisturbed) -> None:
    checkout = started["preempted_then_cancelled"].result()
    first, second = checkout.jobs()
    assert (first["JobState"], first["Restarts"]) == ("CANCELLED", "1")
    assert (second["JobState"], second["Restarts"]) == ("COMPLETED", "0")
    assert manifest(checkout, undisturbed)["sessions"] == 3
    undisturbed.check(checkout, undisturbed.trained)


def test_snakemake_and_job_killed_then_unlocked_resume_to_the_same_bytes(started: Started, undisturbed: Undisturbed) -> None:
    checkout = started["killed"].result()
    assert checkout.jobs()[-1]["JobState"] == "COMPLETED"
    assert manifest(checkout, undisturbed)["sessions"] == 2
    undisturbed.check(checkout, undisturbed.trained)


def test_failed_run_stops_no_other_and_is_shown(started: Started, undisturbed: Undisturbed) -> None:
    checkout = started["one_fails"].result()
    undisturbed.check(checkout, undisturbed.oracle)
    states = [json.loads(path.read_text()) for path in sorted(checkout.folder.glob("results/runs/*/*/status.json"))]
    (failed,) = [state for state in states if state["state"] == "failed"]
    assert "is not finite" in failed["reason"]
    index, *pages = [checkout.folder / "reports/index.html", *sorted(checkout.folder.glob("reports/runs/*.html"))]
    assert "failed" in text_of(index)
    assert any(failed["reason"] in text_of(page) for page in pages)


def text_of(page: Path) -> str:
    return html.unescape(re.sub(r"<[^>]+>", "", page.read_text()))
