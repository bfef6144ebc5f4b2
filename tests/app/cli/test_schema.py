"""The schema from a terminal: LQL files in and out, publishing, going back."""

from __future__ import annotations


def test_from_a_file_to_a_version_and_back(call, workspace, tmp_path) -> None:
    text = tmp_path / "shop.lql"
    text.write_text("SELECT tolower(mail) AS email, set(tag) AS tags FROM shop INTO user BY email -- the shop")
    told = call("schema", "import", text)
    assert told.code == 0
    assert "+ Field tags\n    Set, union.\n" in told.out
    assert "`causeway schema publish` puts it in force." in told.err
    assert call("schema", "show").out.startswith("There is no field yet.")
    assert "email  Email  Text, identifier of rank 1  shop: tolower(mail)" in call("schema", "show", "--draft").out
    assert call("schema", "publish").out == "Published as version 1: Adds email and tags\n"
    assert call("schema", "publish").out == "There are no unpublished changes.\n"

    other = tmp_path / "news.lql"
    other.write_text("SELECT mail AS email FROM news INTO user BY email")
    published = call("schema", "import", text, other, "--publish", "--comment", "News", "--json").document
    assert (published["version"], published["comment"], published["needs_rebuild"]) == (2, "News", True)
    assert [change["title"] for change in published["changes"]] == ["Mapping of news to email"]
    assert [entry["comment"] for entry in call("schema", "versions", "--json").document["versions"]] == [
        "News",
        "Adds email and tags",
    ]
    assert call("schema", "export", tmp_path / "out").out.endswith("2 LQL files.\n")
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == ["news.lql", "shop.lql"]
    assert call("schema", "import", *(tmp_path / "out").iterdir()).out == "Nothing is different.\n"

    assert call("schema", "diff", "1", "2").out == "+ Mapping of news to email\n    email: mail\n"
    assert call("schema", "load", "1").out.startswith("- Mapping of news to email\n")
    assert "unpublished change" in call("schema", "load", "2").err
    assert "nobody is there to confirm" in call("schema", "discard").err
    assert call("schema", "discard", "--yes").out == "1 unpublished change taken back.\n"
    assert call("schema", "diff", "9").err.startswith("The schema has no version 9.")


def test_mistakes_are_told_with_file_and_place_and_change_nothing(call, workspace, tmp_path) -> None:
    good, bad = tmp_path / "good.lql", tmp_path / "bad.lql"
    good.write_text("SELECT a AS b FROM c")
    bad.write_text("SELECT a AS b,\n nosuch(x) AS y,\n nix(x) AS z FROM d")
    told = call("schema", "import", good, bad, "--json")
    assert told.code == 1
    assert told.document["error"]["message"] == f"{bad}:2:2 There is no function nosuch."
    assert told.document["error"]["details"].count("\n") == 1
    assert call("schema", "diff", "--json").document["changes"] == []
    bad.write_bytes(b"\xff\xfe\x00")
    assert call("schema", "import", bad).code == 2
