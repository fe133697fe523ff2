-- Verification's own tables; the chassis brings the journal and everything beside it.
-- A view's row is a pure function of a case's state and can be made again from the journal.

create table cases_v1 (
    id uuid primary key,
    -- The version of the case that the row shows.
    version bigint not null,
    matter uuid not null,
    -- Where the matter was entered from: a register's name, or empty.
    source text not null,
    -- opened, investigating, proposed, suspended, concluded, discontinued
    state text not null,
    unit text not null,
    -- Null while no deadline runs.
    due_on date,
    allegations integer not null,
    -- Findings and reasons of closing by the keys of the statistics, of the conclusion that stands; else empty.
    counts jsonb not null,
    -- The number of the last conclusion; 0 if there is none.
    conclusion integer not null,
    -- Actors who are subjects or declared a conflict, and the marks of reporters: they are not shown the case.
    recused text[] not null,
    reporter_marks text[] not null
);

create index cases_v1_source on cases_v1 (source);
