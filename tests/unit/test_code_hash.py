import subprocess
import sys
from pathlib import Path

import pytest

from reproid import code_hash
from reproid.code_hash import code_sha256


def test_code_sha256_changes_with_the_code_of_the_method_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shared = ("seeds.py", "clips/a.py", "gop/a.py", "training/a.py", "inference/a.py", "models/base.py")
    for path in (*shared, "models/one/model.py", "models/two/model.py"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("first")
    monkeypatch.setattr(code_hash.reproid, "__file__", str(tmp_path / "__init__.py"))
    one, two = code_sha256("one"), code_sha256("two")
    (tmp_path / "models/one/model.py").write_text("second")
    assert code_sha256("one") != one
    assert code_sha256("two") == two
    for path in shared:
        before = code_sha256("two")
        (tmp_path / path).write_text("second")
        assert code_sha256("two") != before


def test_code_hash_loads_neither_torch_nor_pyarrow() -> None:
    code = "import sys; import reproid.code_hash; sys.exit(bool({'torch', 'pyarrow', 'numpy'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
