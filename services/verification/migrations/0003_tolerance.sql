-- What is assessed before a sanction: the table of the view anew. `verification rebuild-views` fills it from the journal.

drop table sanctions_v1;

create table sanctions_v2 (
    id uuid primary key,
    -- The version of what is recorded of the person that the row shows.
    version bigint not null,
    -- Where the matters were entered from and which units handle their cases: an item a sanction, in one order.
    sources text[] not null,
    units text[] not null,
    -- The same of each approved assessment of a finding, with its key of the statistics.
    assessed_sources text[] not null,
    assessed_units text[] not null,
    liabilities text[] not null,
    check (cardinality(sources) = cardinality(units)),
    check (cardinality(assessed_sources) = cardinality(assessed_units)),
    check (cardinality(assessed_sources) = cardinality(liabilities))
);
