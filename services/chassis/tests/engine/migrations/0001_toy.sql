create table tallies_v1 (
    id      uuid   primary key,
    version bigint not null,
    total   bigint not null
);
