"""`causeway lql`: one expression, many cases, mistakes in files, tidy files; all without a workspace."""

from __future__ import annotations

import json

STATEMENT = "select toint(n) as n kind int from shop into user by n alias a"


def test_one_expression_on_one_event(call) -> None:
    assert json.loads(call("lql", "eval", "toint(n) + 1", "--event", '{"n": "$ 4"}').out) == {"value": 5, "type": "int"}
    assert call("lql", "eval", "nothing", "--json").document == {"value": None, "type": None}


def test_times_are_read_in_their_forms(call) -> None:
    for at in ("2014-04-07T16:58:55Z", "1396889935", "1396889935000"):
        answer = call("lql", "eval", "now()", "--event-ts", at)
        assert answer.out == '{"value":"2014-04-07T16:58:55Z","type":"date"}\n'
    answer = call("lql", "eval", 'todate("now-1d")', "--event-ts", "2014-04-07", "--now", "1396889935.25")
    assert json.loads(answer.out)["value"] == "2014-04-06T16:58:55.250000Z"


def test_what_cant_be_read_is_a_sentence(call) -> None:
    answer = call("lql", "eval", "tolower(", "--json")
    assert answer.code == 1
    assert answer.document["error"]["message"].startswith("Line 1, column 8: The text ends too early.")
    for arguments in (
        ["lql", "eval"],
        ["lql", "eval", "x", "--event", "{"],
        ["lql", "eval", "x", "--event", "[]"],
        ["lql", "eval", "x", "--event-ts", "soon"],
        ["lql", "eval", "x", "--cases", "cases.jsonl"],
    ):
        assert call(*arguments).code == 2
    assert call("lql", "eval", "--cases", "nowhere.jsonl").err.startswith("There is no file nowhere.jsonl.")


def test_each_case_has_its_answer_in_its_place(start, tmp_path) -> None:
    cases = [
        {"expression": "split(x, ',')", "event": {"x": "b,a"}},
        {"expression": "tolower(", "event": {}},
        "nonsense",
        ["expression"],
        {"expression": "x", "event": []},
        {"expression": "x", "event_ts": "soon"},
        {"expression": "now()", "event_ts": 1396889935},
        {"expression": 'todate("now-3d")', "event_ts": "2014-04-07T16:58:55Z"},
        {"expression": "todate(x)", "event": {"x": "now"}, "event_ts": 1396889935000, "now": 1396889936.5},
        {"expression": "match('u.')", "event": {"u": {"a": "1"}}},
        {"expression": "set(x)", "event": {"x": ["b", "a"]}},
        {"expression": "map(x, todate('2026-01-02'))", "event": {"x": "k"}},
        {"expression": "totimeset('2026-01-02')"},
        {"expression": "toint(x) / 0", "event": {"x": "1"}, "now": None},
        {"expression": "now()", "event_ts": 0},
        {"expression": "now()", "event_ts": 1e300},
    ]
    lines = [case if isinstance(case, str) else json.dumps(case) for case in cases]
    file = tmp_path / "cases.jsonl"
    file.write_text("\n".join(lines) + "\n\n", encoding="utf-8")
    from_file = start("lql", "eval", "--cases", file).ended()
    from_input = start("lql", "eval", "--cases", "-").ended("\n".join(lines))
    assert (from_file.code, from_file.err, from_file.out) == (0, "", from_input.out)
    answers = [json.loads(line) for line in from_file.out.splitlines()]
    assert len(answers) == len(cases)
    assert ["error" in answer for answer in answers[1:6]] == [True] * 5
    assert answers[0] == {"value": ["b", "a"], "type": "[]string"}
    assert [(answer["value"], answer["type"]) for answer in answers[6:15]] == [
        ("2014-04-07T16:58:55Z", "date"),
        ("2014-04-04T16:58:55Z", "date"),
        ("2014-04-07T16:58:56.500000Z", "date"),
        ({"a": "1"}, "map[string]value"),
        (["a", "b"], "[]string"),
        ({"k": "2026-01-02T00:00:00Z"}, "map[string]time"),
        (["2026-01-02T00:00:00Z"], "[]time"),
        (None, None),
        ("1970-01-01T00:00:00Z", "date"),
    ]
    assert answers[15] == {"error": "event_ts can't be read as a time."}


def test_mistakes_of_files_are_told_with_their_place(call, tmp_path) -> None:
    good, bad = tmp_path / "good.lql", tmp_path / "bad.lql"
    good.write_text("\ufeff" + STATEMENT)
    bad.write_text("SELECT foo(a) AS a,\n b b FROM c")
    assert call("lql", "check", good).out == "No mistakes in 1 file.\n"
    told = call("lql", "check", good, bad)
    assert (told.code, told.out[: len(str(bad)) + 5]) == (1, f"{bad}:2:4 ")
    assert call("lql", "check", bad, "--json").document["problems"][0]["end_column"] == 5
    bad.write_bytes(b"\xff")
    assert call("lql", "check", bad).err == f"{bad} is no text in UTF-8. Save it as UTF-8.\n"


def test_a_file_is_tidied_up_but_never_loses_its_comments(call, tmp_path) -> None:
    file = tmp_path / "a.lql"
    file.write_text(STATEMENT)
    tidy = "SELECT\n    toint(n) AS n KIND int\nFROM shop\nINTO user\nBY n\nALIAS a;\n"
    assert call("lql", "format", file).out == tidy
    assert call("lql", "format", file, "--write").code == 0
    assert file.read_text() == tidy
    file.write_text(STATEMENT + " -- mine")
    answer = call("lql", "format", file, "--write")
    assert answer.err.startswith(f"{file} was not changed: its comments would be lost.")
    assert file.read_text() == STATEMENT + " -- mine"
