-- What every service's schema holds before it holds anything of its own.
-- Nothing is schema-qualified: a role's search_path is its one schema, then extensions.

-- The facts. Inserted once, never changed; (aggregate, sequence) is the guard against two writers.
create table journal (
    aggregate       uuid        not null,
    sequence        bigint      not null check (sequence > 0),
    event_id        uuid        not null,
    kind            text        not null,
    matter          uuid,
    type            text        not null,
    version         integer     not null check (version > 0),
    data            bytea       not null,
    actor           bytea       not null,
    at              timestamptz not null,
    cause           uuid,
    method          text        not null,
    request_id      uuid        not null,
    request_hash    bytea       not null,
    public_sequence bigint      check (public_sequence > 0),
    previous        bytea       not null,
    hash            bytea       not null,
    primary key (aggregate, sequence)
);
create index journal_request on journal (aggregate, method, request_id);
create index journal_matter on journal (matter) where matter is not null;

-- The newest state of each aggregate, always foldable from the journal.
create table aggregates (
    id              uuid        primary key,
    kind            text        not null,
    version         bigint      not null,
    public_sequence bigint      not null,
    format          bigint      not null,
    state           bytea       not null,
    head            bytea       not null,
    matter          uuid,
    at              timestamptz not null,
    changed         xid8        not null default pg_current_xact_id()
);
create index aggregates_changed on aggregates (changed) where public_sequence > 0;

-- Public events that the broker has not confirmed yet.
create table outbox (
    id         bigint      generated always as identity primary key,
    event_id   uuid        not null,
    stream     uuid        not null,
    sequence   bigint      not null,
    type       text        not null,
    body       bytea       not null,
    headers    jsonb       not null,
    at         timestamptz not null,
    attempts   integer     not null default 0,
    not_before timestamptz
);
-- Rows come and go by the thousand a second: vacuum by number, not by share.
alter table outbox set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

-- Clocks and consequences: commands that become due. `key` is UUIDv5(aggregate, kind) for a clock, the request id for a consequence.
create table timers (
    key            uuid        primary key,
    consequence    boolean     not null,
    due            timestamptz not null,
    target_kind    text        not null,
    aggregate      uuid        not null,
    method         text        not null,
    command        bytea       not null,
    actor          bytea       not null,
    cause          uuid,
    trace          text,
    claimed_until  timestamptz,
    attempts       integer     not null default 0,
    not_before     timestamptz,
    dead           text,
    check (dead is null or dead <> '')
);
create index timers_due on timers (consequence desc, due) where dead is null;

-- Names, narratives, statements, documents: the only place for them.
create table texts (
    id     uuid  primary key,
    salt   bytea,
    bytes  bytea,
    digest bytea not null,
    owner  uuid  not null
);

-- Answers of commands by queue that left no journal row (refused, already so).
create table answers (
    aggregate    uuid        not null,
    method       text        not null,
    request_id   uuid        not null,
    request_hash bytea       not null,
    answer       jsonb       not null,
    -- Of the texts that came with the request and were not kept: a redelivery is compared by their digests.
    salts        jsonb       not null default '{}',
    at           timestamptz not null default now(),
    primary key (aggregate, method, request_id)
);

-- How far each foreign stream was followed. `previous` is the sequence that the last advance started from.
create table cursors (
    source   text   not null,
    stream   uuid   not null,
    sequence bigint not null,
    previous bigint not null default 0,
    event_id uuid,
    primary key (source, stream)
);
create table sources (
    source text primary key,
    epoch  text,
    token  text
);

-- Events that wait: parked (ahead, or not yet) or dead; and what could not be read at all.
create table held (
    id         bigint      generated always as identity primary key,
    source     text        not null,
    stream     uuid,
    sequence   bigint,
    event_id   uuid,
    type       text,
    epoch      text,
    headers    jsonb       not null,
    body       bytea       not null,
    status     text        not null check (status in ('ahead', 'not_yet', 'dead', 'unreadable', 'diverged')),
    reason     text        not null,
    attempts   integer     not null default 0,
    not_before timestamptz not null default now(),
    at         timestamptz not null default now()
);
create unique index held_once on held (source, stream, sequence) where stream is not null and status <> 'diverged';
create index held_next on held (not_before) where status in ('ahead', 'not_yet');

-- Domain time = real time + offset: one row, set by tests and replays only.
create table clock (
    one    boolean  primary key default true check (one),
    shift  interval not null default interval '0'
);
insert into clock default values;

-- Drawn anew by a restore, so that followers notice another history.
create table history (
    one   boolean primary key default true check (one),
    drawn uuid    not null default gen_random_uuid()
);
insert into history default values;

-- The running role reads everything, and may only add to the journal: what was written stays.
do $$
declare runner text := regexp_replace(current_user, '_owner$', '');
begin
    if runner <> current_user and exists (select from pg_roles where rolname = runner) then
        execute format('revoke all on journal from %I', runner);
        execute format('grant select, insert on journal to %I', runner);
    end if;
end $$;
