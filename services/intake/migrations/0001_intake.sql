-- Intake's read models. A row an aggregate, a pure function of its state; `rebuild-views` makes all of them again.
-- Columns that are indexed do not change after the first events, so that later ones stay cheap (heap-only updates).

create table subjects_v1 (
    id        uuid   primary key,
    version   bigint not null,
    kind      text   not null,
    unit      text   not null,
    authority text   not null,
    heads     text,
    standing  text   not null,
    source    text   not null,
    reference text   not null
);

create table reports_v1 (
    id             uuid    primary key,
    version        bigint  not null,
    state          text    not null,
    unit           text    not null,
    source         text    not null,
    reference      text    not null,
    matter         uuid,
    entered_on     date    not null,
    -- Microseconds since 1970: the order of lists.
    entered_at     bigint  not null,
    allegations    integer not null,
    -- The identified subjects, each once; and how many are not identified.
    subjects       uuid[]  not null,
    not_identified integer not null,
    -- Who does not see it: actor ids, and marks of reporters.
    recused        text[]  not null,
    reporters      text[]  not null
) with (fillfactor = 85);
create index reports_v1_newest on reports_v1 (entered_at desc, id desc);
create index reports_v1_source on reports_v1 (source, entered_at desc, id desc);

create table matters_v1 (
    id         uuid    primary key,
    version    bigint  not null,
    source     text    not null,
    unit       text    not null,
    case_state text    not null,
    conclusion integer not null,
    reports    integer not null,
    -- Microseconds since 1970: the newest candidate comes first.
    opened_at  bigint  not null,
    -- "subject:category" of all allegations, as the repeat ledger compares them.
    topics     text[]  not null,
    recused    text[]  not null,
    reporters  text[]  not null
) with (fillfactor = 85);
create index matters_v1_source on matters_v1 (source);
-- Without fastupdate: a pending list would be read through by every look-up between two vacuums.
create index matters_v1_topics on matters_v1 using gin (topics) with (fastupdate = off);
