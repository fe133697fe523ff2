-- Follow-up's own tables; the chassis brings the journal and everything beside it.
-- A view's row is a pure function of a file's state and can be made again from the journal.

create table files_v1 (
    id uuid primary key,
    -- The version of the file that the row shows.
    version bigint not null,
    subject uuid not null,
    -- open, closed
    state text not null,
    -- Where the first of its items was entered from: a register's name, or empty.
    source text not null,
    -- Why it was opened last: sanction, aftercare
    opened_for text not null,
    -- All units that follow up, and where all items were entered from.
    units text[] not null,
    sources text[] not null,
    -- Whose turn comes first: 0 the burdened, 1 those who misunderstand, 2 others, 3 closed files.
    urgency smallint not null,
    -- The next planned visit or aftercare; infinity if there is none.
    next_on date not null,
    -- By the latest assessment: affirm, counsel, support
    approach text,
    -- The person's actor id, if it is known to have one: they are not shown their own file.
    person text,
    -- Figures by the keys of the statistics, for each source and unit that has an item in the file:
    -- [{"source": "…", "unit": "…", "counts": {"visits": 1, …}}, …]
    tallies jsonb not null
);

create index files_v1_turn on files_v1 (urgency, next_on, id);
