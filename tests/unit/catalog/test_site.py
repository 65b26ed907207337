from pathlib import Path

import pytest

from reproid.catalog.site import Site, load_site
from reproid.errors import InputError

WARNING = "--signal=USR1@120"


def write_site(root: Path, text: str) -> Path:
    (root / "slurm").mkdir()
    (root / "slurm" / "site.yaml").write_text(text)
    return root


def test_site_no_file_asks_for_any_gpu_and_a_warning_of_trainings_and_nothing_else(tmp_path: Path) -> None:
    assert load_site(tmp_path).cpu() == {}
    assert load_site(tmp_path).gpu() == {"gres": "gpu:1"}
    assert load_site(tmp_path).training() == {"gres": "gpu:1", "slurm_extra": WARNING}


def test_site_file_names_account_partitions_gpu_and_scratch(tmp_path: Path) -> None:
    text = "{account: lab, partition: cpu, gpu_partition: gpu, gpu_type: a100, scratch: /scratch, qos: low, constraint: ib}"
    site = load_site(write_site(tmp_path, text))
    both = {"slurm_account": "lab", "tmpdir": "/scratch", "qos": "low", "constraint": "ib"}
    assert site.cpu() == {**both, "slurm_partition": "cpu"}
    assert site.gpu() == {**both, "slurm_partition": "gpu", "gres": "gpu:a100:1"}


def test_site_gpu_jobs_without_their_own_partition_use_the_other() -> None:
    assert Site(partition="all").gpu()["slurm_partition"] == "all"


@pytest.mark.parametrize(("text", "gres"), [("{gpus_per_run: 4}", "gpu:4"), ("{gpus_per_run: 2, gpu_type: a100}", "gpu:a100:2")])
def test_site_several_gpus_per_run_are_asked_for_where_a_rule_says_so(tmp_path: Path, text: str, gres: str) -> None:
    site = load_site(write_site(tmp_path, text))
    assert site.gpu(site.gpus_per_run)["gres"] == site.training()["gres"] == gres
    assert site.gpu()["gres"].endswith(":1")


def test_site_extra_options_stand_before_the_warning() -> None:
    site = Site(extra="--mail-type=FAIL", warning_s=300)
    assert site.cpu() == {"slurm_extra": "--mail-type=FAIL"}
    assert site.training()["slurm_extra"] == "--mail-type=FAIL --signal=USR1@300"


def test_site_launcher_of_no_file_replaces_the_shell_alone() -> None:
    assert Site().launcher() == "set -euo pipefail; exec "


def test_site_launcher_loads_modules_then_enters_the_container() -> None:
    site = Site(modules=("gcc/12.2", "cuda/12.6"), container="my images/reproid.sif", container_options="--nv --bind /scratch")
    assert site.launcher() == (
        "set -euo pipefail; set +u; module load gcc/12.2 cuda/12.6; set -u; "
        "exec apptainer exec --nv --bind /scratch 'my images/reproid.sif' "
    )


def test_site_misspelt_key_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"site\.yaml, key 'acount': unknown key; .*Did you mean 'account'\?"):
        load_site(write_site(tmp_path, "acount: lab"))


@pytest.mark.parametrize("option", ["--qos=normal", "--time 10", "-p gpu", "--gres=gpu:2", "--mail-type=FAIL --signal=TERM@60"])
def test_site_extra_that_another_key_or_a_rule_sets_is_refused(tmp_path: Path, option: str) -> None:
    name = next(word for word in option.replace("=", " ").split() if word.startswith("-") and "mail" not in word)
    expected = rf"key 'extra': invalid value; expected no option that a key of this file .* sets?, such as {name}, got '{option}'"
    with pytest.raises(InputError, match=expected):
        load_site(write_site(tmp_path, f"extra: '{option}'"))


@pytest.mark.parametrize("text", ["modules: ['cuda; rm -rf .']", "gpu_type: 'a100 80'", "warning_s: 0"])
def test_site_value_that_is_no_such_thing_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError, match=f"key '{text.partition(':')[0]}"):
        load_site(write_site(tmp_path, text))
