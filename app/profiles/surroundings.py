"""What a conflict reaches: all people who are tied to it over any identifier value, resolved again from their events.

An event that arrives late could have decided a conflict otherwise, had it been there in time. So the people around
it are taken apart and made anew from all of their events, in the order of the events' times. This also finds the
identifier values that came with too many others, and holds them back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from app.identity.resolve import Key, Resolver, shared_too_much
from app.profiles.people_table import PeopleTable, as_json
from app.profiles.replay import load_events, resolve_events
from app.schema.mapping import CompiledSchema


class Surroundings:
    """Finds and resolves what conflicts reach. `held` are the values that tie nobody; it grows."""

    def __init__(self, table: PeopleTable, schema: CompiledSchema) -> None:
        self.held: set[Key] = set()
        self._table = table
        self._schema = schema
        weakest = len(schema.identifiers) - 1
        self._counted_sets = {
            identifier.field_id
            for place, identifier in enumerate(schema.identifiers)
            if not identifier.single and place < weakest
        }

    def refresh(self) -> None:
        """Notice values that other runs have held back meanwhile."""
        self.held = self._table.held()

    def resolve(self, resolver: Resolver, now: str) -> int:
        """Resolve again what the late events and the new conflicts of a chunk call for; how many people more there are.

        The chunk's people are written already, the late events are in the table of events.
        """
        late = [event for event, _ in resolver.late]
        suspects = self._suspects(resolver)
        if not late and not suspects:
            return 0
        people = self._reached({key for _, named in resolver.late for key in named}, suspects)
        events = load_events(self._table.connection, self._schema, [*self._events_of(people), *late])
        shared = shared_too_much(self._schema.identifiers, (event[4] for event in events), self._schema.shared_limit)
        new = {key: found for key, found in shared.items() if key not in self.held}
        if not late and not new:
            return 0
        if new:
            self.held |= new.keys()
            self._table.hold(((key, others, field) for key, (others, field) in new.items()), events[-1][0])
        return self._replace(people, resolve_events(self._schema, events, self.held), now) - len(people)

    def anew(self, people: Iterable[int], now: str) -> None:
        """Resolve people again whose events have changed, with all whom identifiers and conflicts tie to them."""
        self.refresh()
        reached = self._reached(set(), set(people))
        events = load_events(self._table.connection, self._schema, self._events_of(reached))
        self._replace(reached, resolve_events(self._schema, events, self.held), now)

    def _suspects(self, resolver: Resolver) -> set[int]:
        """People whose new conflicts or values are so many that one of their values may be shared too much."""
        limit = self._schema.shared_limit
        connection, table = self._table.connection, self._table
        found: set[int] = set()
        if resolver.conflicts:
            people = {resolver.last(conflict.person) for conflict in resolver.conflicts}
            rows = connection.execute(
                f"""select profile_id from json_each(?) as wanted
                cross join {table.conflicts} as conflict on conflict.profile_id = wanted.value
                group by profile_id having count(distinct conflict.value) >= ?""",
                (as_json(people), limit),
            )
            found |= {row[0] for row in rows}
            for field_id, texts in _by_field({conflict.key for conflict in resolver.conflicts}).items():
                rows = connection.execute(
                    f"""select min(conflict.profile_id) from json_each(?) as wanted
                    cross join {table.conflicts} as conflict on field_id = ? and conflict.value = wanted.value
                    group by wanted.value having count(distinct profile_id) >= ?""",
                    (as_json(texts), field_id, limit),
                )
                found |= {row[0] for row in rows}
        for field_id in self._counted_sets:
            people = {resolver.last(person) for field, _, person, _ in resolver.new_keys if field == field_id}
            rows = connection.execute(
                f"""select profile_id from json_each(?) as wanted
                cross join {table.identifiers} as known on known.profile_id = wanted.value and field_id = ?
                group by profile_id having count(*) > ?""",
                (as_json(people), field_id, limit),
            )
            found |= {row[0] for row in rows}
        return found

    def _reached(self, keys: set[Key], people: set[int]) -> set[int]:
        """Everybody whom identifier values and conflicts tie to these values and people, and so on."""
        table = self._table
        new_keys, new_people = keys, people | set(table.find(keys).values())
        keys, people = set(keys), set(new_people)
        while new_keys or new_people:
            listed = as_json(new_people)
            rows = table.connection.execute(
                f"""select field_id, value from {table.identifiers} where profile_id in (select value from json_each(?))
                union select field_id, value from {table.conflicts}
                    where profile_id in (select value from json_each(?))""",
                (listed, listed),
            )
            found_keys = {(row[0], row[1]) for row in rows} - keys - self.held
            asked = new_keys | found_keys
            found_people = set(table.find(asked).values())
            for field_id, texts in _by_field(asked).items():
                rows = table.connection.execute(
                    f"""select conflict.profile_id from json_each(?) as wanted
                    cross join {table.conflicts} as conflict on field_id = ? and conflict.value = wanted.value""",
                    (as_json(texts), field_id),
                )
                found_people |= {row[0] for row in rows}
            new_keys, new_people = found_keys, found_people - people
            keys |= new_keys
            people |= new_people
        return people

    def _events_of(self, people: Iterable[int]) -> list[int]:
        rows = self._table.connection.execute(
            f"select event_id from {self._table.events} where profile_id in (select value from json_each(?))",
            (as_json(people),),
        )
        return [row[0] for row in rows]

    def _replace(self, people: set[int], resolver: Resolver, now: str) -> int:
        """Put the resolved people in the place of those who were there; how many they are now."""
        table = self._table
        connection = table.connection
        listed = as_json(people)
        before = {
            row[0]: row[1]
            for row in connection.execute(
                f"select _id, _created from {table.profiles} where _id in (select value from json_each(?))", (listed,)
            )
        }
        owned = {
            (row[0], row[1]): row[2]
            for row in connection.execute(
                f"""select field_id, value, profile_id from {table.identifiers}
                where profile_id in (select value from json_each(?))""",
                (listed,),
            )
        }
        for name, column in (
            (table.profiles, "_id"),
            (table.identifiers, "profile_id"),
            (table.events, "profile_id"),
            (table.conflicts, "profile_id"),
            (table.joins, "kept"),
        ):
            connection.execute(f"delete from {name} where {column} in (select value from json_each(?))", (listed,))
        table.mark_unindexed(people)
        made = [person for person in range(resolver.next_person) if person not in resolver.joined]
        ids = self._ids(made, resolver, owned, before)
        table.add(
            [
                (
                    ids[person],
                    before.get(ids[person], now),
                    resolver.fresh[person] if person in resolver.fresh else resolver.states[person],
                )
                for person in made
            ],
            now,
        )
        write_trace(table, resolver, ids)
        return len(made)

    def _ids(
        self, made: Sequence[int], resolver: Resolver, owned: dict[Key, int], before: dict[int, str]
    ) -> dict[int, int]:
        """Numbers for the resolved people: each keeps that of somebody whose identifier value it has, if it can."""
        ids: dict[int, int] = {}
        taken: set[int] = set()
        for field_id, text, person, _ in resolver.new_keys:
            person = resolver.last(person)
            known = owned.get((field_id, text))
            if known is not None and person not in ids and known not in taken:
                ids[person] = known
                taken.add(known)
        free = sorted(before.keys() - taken, reverse=True)
        next_id = max(self._table.next_id(), max(before, default=0) + 1)
        for person in made:
            if person not in ids:
                if free:
                    ids[person] = free.pop()
                else:
                    ids[person] = next_id
                    next_id += 1
        return ids


def _by_field(keys: Iterable[Key]) -> dict[int, list[str]]:
    texts: dict[int, list[str]] = {}
    for field_id, text in keys:
        texts.setdefault(field_id, []).append(text)
    return texts


def write_trace(table: PeopleTable, resolver: Resolver, ids: dict[int, int] | None = None) -> None:
    """Write identifier values, events, joins and conflicts of resolved people. `ids` gives them other numbers."""

    def number(person: int) -> int:
        last = resolver.last(person)
        return last if ids is None else ids[last]

    new_keys, links = resolver.new_keys, resolver.links
    if ids is not None or resolver.joined:
        new_keys = [(field_id, text, number(person), event) for field_id, text, person, event in new_keys]
        links = [(number(person), event) for person, event in links]
    # In the order of the index, which keeps its pages warm.
    table.add_keys(sorted(new_keys))
    table.add_links(links)
    table.add_joins(
        [
            (join.event, number(join.kept), join.gone if ids is None else number(join.gone), *join.key)
            for join in resolver.joins
        ]
    )
    table.add_conflicts([(conflict.event, number(conflict.person), *conflict.key) for conflict in resolver.conflicts])
