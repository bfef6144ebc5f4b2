"""A transfer as plain values: in the workspace's file, and as a small YAML file for others, without secrets.

Authorizations are numbers in the workspace and names in a file, where their methods stand beside them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app import bounded_yaml
from app.authorizations import AuthorizationInfo, get_authorization, list_authorizations
from app.bounded_yaml import Kind
from app.errors import Refused
from app.jobs.blanking import Blanker
from app.transfer.model import Column, End, Key, Reading, Transfer, Writing
from app.whole_file import whole_file

if TYPE_CHECKING:
    from app.engine import Engine

ENDING = ".causeway-transfer.yaml"
FORMAT = 1
KIND = Kind("causeway_transfer", FORMAT, "transfer recipe", "app.transfer", "recipe.schema.json")
HEAD = "# A transfer of a file with Causeway, without secrets. `causeway transfer FILE` makes it.\n"

Named = Callable[[int], Any]
Numbered = Callable[[Any], int]


def document_of(transfer: Transfer, named: Named) -> dict[str, Any]:
    """The transfer as plain values; what is as usual is left out. `named` is what stands for an authorization."""
    document: dict[str, Any] = {
        "name": transfer.name,
        "from": _end_document(transfer.source, named),
        "to": _end_document(transfer.target, named),
        "read": _changed(transfer.reading, Reading()),
        "columns": [
            {"name": column.name, "to": column.to} if column.to else column.name for column in transfer.columns
        ],
        "write": _changed(transfer.writing, Writing()),
        "split_rows": transfer.split_rows,
        "split_bytes": transfer.split_bytes,
        "unpack": transfer.unpack,
        "pack": "" if transfer.pack == "none" else transfer.pack,
        "decrypt": _key_document(transfer.decrypt, named),
        "encrypt": _key_document(transfer.encrypt, named),
    }
    return {key: value for key, value in document.items() if value}


def _end_document(end: End, named: Named) -> dict[str, Any]:
    return {"path": end.path} | ({} if end.authorization is None else {"authorization": named(end.authorization)})


def _key_document(key: Key | None, named: Named) -> dict[str, Any]:
    if key is None:
        return {}
    return {"key_file": key.file} if key.authorization is None else {"authorization": named(key.authorization)}


def _changed(part: Reading | Writing, usual: Reading | Writing) -> dict[str, Any]:
    before = asdict(usual)
    return {
        key: list(value) if isinstance(value, tuple) else value
        for key, value in asdict(part).items()
        if value != before[key]
    }


def transfer_of(document: Mapping[str, Any], numbered: Numbered) -> Transfer:
    """The transfer of plain values that are right in form. `numbered` is the number of what stands for one."""

    def end(value: Mapping[str, Any]) -> End:
        return End(value["path"], numbered(value["authorization"]) if "authorization" in value else None)

    def key(value: Mapping[str, Any] | None) -> Key | None:
        if not value:
            return None
        return Key(numbered(value["authorization"])) if "authorization" in value else Key(file=value["key_file"])

    read = dict(document.get("read", {}))
    if "columns" in read:
        read["columns"] = tuple(read["columns"])
    return Transfer(
        source=end(document["from"]),
        target=end(document["to"]),
        name=document.get("name", "").strip(),
        reading=Reading(**_known(read, Reading)),
        columns=tuple(
            Column(one) if isinstance(one, str) else Column(one["name"], one["to"])
            for one in document.get("columns", ())
        ),
        writing=Writing(**_known(document.get("write", {}), Writing)),
        split_rows=document.get("split_rows", 0),
        split_bytes=document.get("split_bytes", 0),
        unpack=document.get("unpack", False),
        pack=document.get("pack", "none"),
        decrypt=key(document.get("decrypt")),
        encrypt=key(document.get("encrypt")),
    )


def _known(values: Mapping[str, Any], kind: type) -> dict[str, Any]:
    names = {field.name for field in fields(kind)}
    return {name: value for name, value in values.items() if name in names}


@dataclass(frozen=True, slots=True)
class WantedAuthorization:
    """An authorization that a recipe names. `fitting` are those that could be it, the likeliest first."""

    name: str
    method: str
    fitting: tuple[AuthorizationInfo, ...]


@dataclass(frozen=True, slots=True)
class TransferRecipe:
    """A transfer from a file, its authorizations still names."""

    document: Mapping[str, Any]
    authorizations: tuple[WantedAuthorization, ...]

    def same(self) -> dict[str, int]:
        """The authorizations of the workspace that are called as those of the recipe and sign in the same way."""
        return {
            wanted.name: wanted.fitting[0].id
            for wanted in self.authorizations
            if wanted.fitting and wanted.fitting[0].name == wanted.name
        }

    def transfer(self, chosen: Mapping[str, int]) -> Transfer:
        """The transfer, with what was chosen for each name. Raises Refused where one is missing."""
        for wanted in self.authorizations:
            if chosen.get(wanted.name) not in [info.id for info in wanted.fitting]:
                raise Refused(
                    f"The recipe needs an authorization for “{wanted.name}” ({wanted.method}).",
                    advice="Choose one that fits, or make a new one.",
                )
        return transfer_of(self.document, lambda name: chosen[name])


def write_recipe(engine: Engine, transfer: Transfer, target: Path) -> None:
    """Write the transfer to a file. Raises NotFound, Refused, DiskFull and VaultLocked."""
    text = recipe_text(engine, transfer)
    with whole_file(target) as part:
        part.write_text(text, "utf-8")


def recipe_text(engine: Engine, transfer: Transfer) -> str:
    """The text of that file. Raises NotFound, and VaultLocked where secrets can't be compared with what is written."""
    infos = {number: get_authorization(engine, number) for number in transfer.authorizations()}
    document = document_of(transfer, lambda number: infos[number].name)
    signed_in = [{"name": info.name, "method": info.method} for info in infos.values()]
    if signed_in:
        document["authorizations"] = signed_in
    return bounded_yaml.write(HEAD, {KIND.key: FORMAT} | Blanker.of(engine).blank_all(document))


def read_recipe(engine: Engine, file: Path) -> TransferRecipe:
    """The recipe of a file. Raises NotFound, and Refused with everything that is wrong, each with line and key."""
    return recipe_of(engine, bounded_yaml.load(file, KIND), file.name)


def recipe_of(engine: Engine, text: str, name: str) -> TransferRecipe:
    """The recipe of a text, which messages call `name`. Raises Refused."""
    document = bounded_yaml.read(text, name, KIND)
    values = document.values
    methods = {entry["name"]: entry["method"] for entry in values.get("authorizations", ())}
    faults: list[tuple[tuple[str | int, ...], str]] = []
    for place in ("from", "to", "decrypt", "encrypt"):
        wanted = values.get(place, {}).get("authorization")
        if wanted is not None and wanted not in methods:
            faults.append(((place, "authorization"), f"there is no authorization {wanted} in the recipe"))
    document.refuse(faults)
    known = list_authorizations(engine)
    return TransferRecipe(values, tuple(_wanted(engine, entry, method, known) for entry, method in methods.items()))


def _wanted(engine: Engine, name: str, method: str, known: list[AuthorizationInfo]) -> WantedAuthorization:
    """What fits: the same way to sign in, and others that open files too."""
    fitting = [info for info in known if info.method == method or engine.catalog.method(info.method).place]
    fitting.sort(key=lambda info: (info.name != name, info.method != method, info.name.casefold()))
    return WantedAuthorization(name, method, tuple(fitting))
