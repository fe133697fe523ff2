-- The sanctions of persons, for the figures: a row a person, as their periods count together over all cases.

create table sanctions_v1 (
    id uuid primary key,
    -- The version of the person's sanctions that the row shows.
    version bigint not null,
    -- Where the matters were entered from and which units handle their cases: an item a sanction, in one order.
    sources text[] not null,
    units text[] not null,
    check (cardinality(sources) = cardinality(units))
);
