"""`causeway transfer` as a script uses it."""

from __future__ import annotations

import gzip
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

MEMBERS = "email,name\nmaja@shop.example,Maja\nteo@shop.example,Teo,\nana@shop.example,Ana\n"


def test_a_transfer_from_arguments_is_saved_and_made_again(call: Any, workspace: Path, tmp_path: Path) -> None:
    source, target = tmp_path / "members.csv", tmp_path / "out.jsonl.gz"
    source.write_text(MEMBERS)
    answer = call("transfer", source, target, "--column", "name=NAME", "--save", "Weekly", "--json")
    assert answer.code == 0, answer.err
    assert gzip.decompress(target.read_bytes()) == b'{"NAME":"Maja"}\n{"NAME":"Ana"}\n'
    document = answer.document
    assert (document["rows"], document["rejected"], document["copied_as_it_is"]) == (2, 1, False)
    assert document["rejected_file"] == f"{target}.rejected.csv"
    assert document["files"][0]["path"] == str(target)
    later = tmp_path / "later.csv"
    later.write_text("name\nIda\n")
    assert call("transfer", "Weekly", "--source", later, "--target", tmp_path / "later.jsonl.gz").code == 0
    assert gzip.decompress((tmp_path / "later.jsonl.gz").read_bytes()) == b'{"NAME":"Ida"}\n'
    listed = call("transfer", "--list", "--json").document
    assert [(one["name"], one["kept"], one["status"]) for one in listed] == [
        ("later.csv to later.jsonl.gz", False, "completed"),
        ("Weekly", True, "completed"),
    ]
    assert "Weekly" in call("transfer", "--list").out
    recipe = tmp_path / "weekly.yaml"
    assert call("transfer", "Weekly", "--recipe", recipe).code == 0
    target.unlink()
    answer = call("transfer", recipe)
    assert answer.code == 0, answer.err
    assert target.exists()
    assert "SHA-256" in answer.out


def test_a_preview_transfers_nothing(call: Any, workspace: Path, tmp_path: Path) -> None:
    source = tmp_path / "members.csv"
    source.write_text(MEMBERS)
    answer = call("transfer", source, tmp_path / "out.csv", "--column", "name", "--preview", "--json")
    assert answer.document["after"] == {"columns": ["name"], "rows": [["Maja"], ["Ana"]]}
    assert answer.document["rejected"][0]["line"] == 3
    assert [path.name for path in tmp_path.glob("*.*")] == ["members.csv"]
    assert "Ana" in call("transfer", source, tmp_path / "out.csv", "--preview").out


def test_what_goes_wrong_ends_with_1(call: Any, workspace: Path, tmp_path: Path) -> None:
    source = tmp_path / "members.csv"
    source.write_text(MEMBERS)
    for arguments, message in (
        ((tmp_path / "nothing.csv", tmp_path / "out.csv"), "nothing.csv is not there."),
        ((source, tmp_path / "out.csv.pgp"), "there is no key"),
        ((source, tmp_path / "out.csv", "--column", "town"), "no column “town”"),
        ((source, "in/", "--to", "Nobody"), "no authorization “Nobody”"),
        (("Monthly",), "no transfer “Monthly”"),
        ((source, tmp_path / "out.csv", "--encrypt-key", tmp_path / "no.asc"), "no.asc can't be read"),
        ((source, tmp_path / "out.csv.pgp", "--encrypt-key", source), "PGP"),
    ):
        answer = call("transfer", *arguments, "--json")
        assert (answer.code, message in answer.document["error"]["message"]) == (1, True), answer.err
    assert [path.name for path in tmp_path.glob("*.*")] == ["members.csv"]


def test_a_window_that_is_open_is_no_hindrance(
    call: Any, start: Callable[..., Any], workspace: Path, tmp_path: Path
) -> None:
    from app.engine import Engine

    (tmp_path / "a.txt").write_text("a,b\n1,2\n")
    with Engine.open(workspace):
        answer = start("transfer", tmp_path / "a.txt", tmp_path / "b.json", "--json").ended()
        assert answer.code == 0, answer.err
    assert json.loads((tmp_path / "b.json").read_text()) == {"a": "1", "b": "2"}
    assert call("transfer", "--list", "--json").document == []


def test_a_key_with_a_passphrase_comes_from_files_and_standard_input(
    start: Callable[..., Any], workspace: Path, tmp_path: Path
) -> None:
    import shutil
    import tempfile

    home = Path(tempfile.mkdtemp(prefix="cw-gpg-"))
    base = ["gpg", "--homedir", str(home), "--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", "open!"]
    try:
        subprocess.run([*base, "--quick-generate-key", "Ann <ann@shop.example>", "future-default"], check=True)
        for name, how in (("public", "--export"), ("private", "--export-secret-keys")):
            key = subprocess.run([*base, "--armor", how], check=True, capture_output=True).stdout
            (tmp_path / f"{name}.asc").write_bytes(key)
    finally:
        subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], check=False)
        shutil.rmtree(home, ignore_errors=True)
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    locked = tmp_path / "a.csv.pgp"
    answer = start("transfer", tmp_path / "a.csv", locked, "--encrypt-key", tmp_path / "public.asc").ended()
    assert answer.code == 0, answer.err
    assert b"1,2" not in locked.read_bytes()
    opening = ("transfer", locked, tmp_path / "b.csv", "--decrypt-key", tmp_path / "private.asc")
    assert start(*opening).ended("").code == 1
    wrong = start(*opening, "--key-passphrase-stdin").ended("shut\n")
    assert wrong.code == 1
    assert "passphrase" in wrong.err.lower()
    answer = start(*opening, "--key-passphrase-stdin").ended("open!\n")
    assert answer.code == 0, answer.err
    assert (tmp_path / "b.csv").read_text() == "a,b\n1,2\n"
