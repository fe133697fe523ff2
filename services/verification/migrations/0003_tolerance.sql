-- What is assessed before a sanction, and which cases a person's record rests on: the table of the view anew.
-- `verification rebuild-views` fills it from the journal.

drop table sanctions_v1;

create table sanctions_v2 (
    id uuid primary key,
    -- The version of what is recorded of the person that the row shows.
    version bigint not null,
    -- Where the matters were entered from and which units handle their cases: an item a sanction, in one order.
    sources text[] not null,
    units text[] not null,
    -- Every case in which something was recorded: who is recused from one of them is shown nothing.
    cases uuid[] not null,
    -- Of each finding whose assessment was approved: its case, the conclusion that was assessed, and the key of the
    -- statistics under which it counts while that conclusion stands.
    assessed_cases uuid[] not null,
    assessed_conclusions integer[] not null,
    liabilities text[] not null,
    check (cardinality(sources) = cardinality(units)),
    check (cardinality(assessed_cases) = cardinality(assessed_conclusions)),
    check (cardinality(assessed_cases) = cardinality(liabilities))
);
