-- `changed` in steps of 65,536: what finds the recent ones. An index over `changed` itself had a new entry in each index
-- of the table for every update, as no update could stay within its page; nor can one without room on the page.
alter table aggregates
    add column era bigint not null generated always as (changed::text::bigint >> 16) stored;
create index aggregates_era on aggregates (era);
drop index aggregates_changed;
alter table aggregates set (fillfactor = 70);
alter table cursors set (fillfactor = 70);
