"""One chunk of events becomes people: those it concerns are read together, changed in memory, written together."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from app.identity.merge import Merge
from app.identity.resolve import Resolver, Row, World, keys_of
from app.profiles.people_table import PeopleTable
from app.profiles.surroundings import Surroundings, write_trace
from app.schema.mapping import CompiledSchema, StreamMapping


class Chunk:
    """Folds the rows of a chunk's events into people and writes them.

    `events` are the ids, `texts` the raw texts of the events. `settled` is the newest time of all events before
    this chunk, None where there are none.
    """

    def __init__(
        self,
        table: PeopleTable,
        schema: CompiledSchema,
        surroundings: Surroundings,
        events: Sequence[int],
        texts: Sequence[str],
        settled: int | None,
    ) -> None:
        self.added = self.updated = self.nobody = self.too_long = 0
        self._table = table
        self._schema = schema
        self._surroundings = surroundings
        self._events = events
        self._texts = texts
        self._text_of: dict[int, str] | None = None
        self._settled = settled

    def take(self, mapping: StreamMapping, rows: Sequence[Row], times: Sequence[int], now: str) -> None:
        """Fold in one event a row and write the people."""
        self._surroundings.refresh()
        keys, self.too_long = keys_of(self._schema.identifiers, rows)
        table = self._table
        owner = table.find(key for named in keys for key in named)
        people = set(owner.values())
        resolver = Resolver(
            self._schema.identifiers,
            Merge(self._schema.operators, self._raw_text),
            World(
                owner,
                table.load(people),
                next_person=table.next_id(),
                settled=self._settled,
                conflicted=table.conflicted(people) if self._settled is not None else (),
                held=self._surroundings.held,
            ),
        )
        events = self._events
        order = self._order(times)
        resolver.fold(
            zip(events, times, rows, keys, strict=True)
            if order is None
            else ((events[place], times[place], rows[place], keys[place]) for place in order),
            mapping.positions,
        )
        self._save(resolver, now)
        self.nobody = resolver.nobody
        self.added = resolver.next_person - resolver.first_new
        self.added += self._surroundings.resolve(resolver, now)
        self.updated = len(rows) - self.nobody - self.added

    def _order(self, times: Sequence[int]) -> list[int] | None:
        """The order of the events by time and text; None where they stand in it."""
        if all(one < other for one, other in pairwise(times)):
            return None
        texts = self._texts
        return sorted(range(len(times)), key=lambda place: (times[place], texts[place]))

    def _save(self, resolver: Resolver, now: str) -> None:
        table = self._table
        joined = resolver.joined
        first_new = resolver.first_new
        for gone in joined:
            if gone < first_new:
                table.join(resolver.last(gone), gone)
        fresh, states = resolver.fresh, resolver.states
        table.add(
            (
                (person, now, fresh[person] if person in fresh else states[person])
                for person in range(first_new, resolver.next_person)
                if person not in joined
            ),
            now,
        )
        changed = sorted(resolver.changed - joined.keys())
        table.update(((person, states[person]) for person in changed if person < first_new), now)
        write_trace(table, resolver)

    def _raw_text(self, event: int) -> str:
        if self._text_of is None:
            self._text_of = dict(zip(self._events, self._texts, strict=True))
        text = self._text_of.get(event)
        if text is None:
            row = self._table.connection.execute("select data from events where id = ?", (event,)).fetchone()
            text = self._text_of[event] = row[0] if row is not None else ""
        return text
