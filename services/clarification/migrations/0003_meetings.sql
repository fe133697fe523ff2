-- Meetings that were convened, a row each: a pure function of a meeting's state. `clarification rebuild-views` fills it
-- from the journal.

create table meetings_v1 (
    id uuid primary key,
    -- The version of the meeting that the row shows.
    version bigint not null,
    -- The unit that holds it.
    unit text not null,
    -- convened, cancelled, held
    state text not null,
    held_on date not null,
    -- How many names it was convened to clear, how many it cleared, and how many it did not although it was held.
    clarifications int not null,
    carried_out int not null,
    not_carried_out int not null,
    -- Actors who are subjects or declared a conflict, and the marks of reporters, of any of its clarifications: they are
    -- not shown the meeting.
    recused text[] not null,
    reporter_marks text[] not null
);

create index meetings_v1_unit on meetings_v1 (unit);
