"""Reading columns of a Parquet file, with one-line errors for everything that can be wrong with it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reproid.errors import InputError


def read_columns(path: Path | str, names: Sequence[str], *, fix: str) -> dict[str, list[Any]]:
    """Return the values of the columns ``names``.

    Args:
        path: Parquet file.
        names: columns.
        fix: what to do if the file is missing or damaged.

    Raises:
        InputError: names the file and, where one is missing, the column.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            found = file.schema_arrow.names
            missing = [name for name in names if name not in found]
            if missing:
                raise InputError(f"column '{missing[0]}' is missing", where=path, got=", ".join(found), fix=fix)
            values: dict[str, list[Any]] = file.read(columns=list(names)).to_pydict()
    except FileNotFoundError as error:
        raise InputError("file not found", where=path, fix=fix) from error
    except InputError:
        raise
    except (pa.ArrowException, OSError, UnicodeDecodeError, KeyError) as error:
        raise InputError("not a Parquet file, or damaged", where=path, fix=fix) from error
    return values
