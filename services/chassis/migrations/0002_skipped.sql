-- What an operator left out, for ever: its bytes, who did so and why.
create table skipped (
    id       bigint      generated always as identity primary key,
    -- The follower's source; the service itself for a clock or consequence; `commands` for its queue.
    source   text        not null,
    stream   uuid,
    sequence bigint,
    event_id uuid,
    type     text,
    headers  jsonb       not null,
    body     bytea       not null,
    reason   text        not null check (reason <> ''),
    actor    text        not null,
    at       timestamptz not null default now()
);

-- On record, so the running role may only add to it.
do $$
declare runner text := regexp_replace(current_user, '_owner$', '');
begin
    if runner <> current_user and exists (select from pg_roles where rolname = runner) then
        execute format('revoke all on skipped from %I', runner);
        execute format('grant select, insert on skipped to %I', runner);
    end if;
end $$;
