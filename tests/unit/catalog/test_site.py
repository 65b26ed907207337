from pathlib import Path

import pytest

from reproid.catalog.site import Site, load_site
from reproid.errors import InputError


def test_site_no_file_asks_for_any_gpu_and_nothing_else(tmp_path: Path) -> None:
    assert load_site(tmp_path).cpu() == {}
    assert load_site(tmp_path).gpu() == {"gres": "gpu:1"}


def test_site_file_names_account_partitions_gpu_and_scratch(tmp_path: Path) -> None:
    (tmp_path / "slurm").mkdir()
    text = "{account: lab, partition: cpu, gpu_partition: gpu, gpu_type: a100, scratch: /scratch, extra: --qos=low}"
    (tmp_path / "slurm" / "site.yaml").write_text(text)
    site = load_site(tmp_path)
    both = {"slurm_account": "lab", "tmpdir": "/scratch", "slurm_extra": "--qos=low"}
    assert site.cpu() == {**both, "slurm_partition": "cpu"}
    assert site.gpu() == {**both, "slurm_partition": "gpu", "gres": "gpu:a100:1"}


def test_site_gpu_jobs_without_their_own_partition_use_the_other() -> None:
    assert Site(partition="all").gpu()["slurm_partition"] == "all"


def test_site_misspelt_key_is_named(tmp_path: Path) -> None:
    (tmp_path / "slurm").mkdir()
    (tmp_path / "slurm" / "site.yaml").write_text("acount: lab")
    with pytest.raises(InputError, match=r"site\.yaml, key 'acount': unknown key; .*Did you mean 'account'\?"):
        load_site(tmp_path)
