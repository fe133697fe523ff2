-- Who is recused from one of a file's matters: the table of the view anew. `follow_up rebuild-views` fills it from the
-- journal.

drop table files_v1;

create table files_v2 (
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
    -- Actor ids, and marks of reporters in hexadecimal, of who is recused from one of its matters.
    recused text[] not null,
    reporter_marks text[] not null,
    -- Figures by the keys of the statistics, for each source and unit that has an item in the file:
    -- [{"source": "…", "unit": "…", "counts": {"visits": 1, …}}, …]
    tallies jsonb not null
);

create index files_v2_turn on files_v2 (urgency, next_on, id);
