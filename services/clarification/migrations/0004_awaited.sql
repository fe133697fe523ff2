-- What is late, and whose subject cannot be heard: the table of the view anew. `clarification rebuild-views` fills it from
-- the journal.

drop table clarifications_v2;

create table clarifications_v3 (
    id uuid primary key,
    -- The version of the clarification that the row shows.
    version bigint not null,
    matter uuid not null,
    subject uuid not null,
    -- person, organisation
    subject_kind text not null,
    -- Where the matter was entered from: a register's name, or empty.
    source text not null,
    -- applied, screening, eligible, not_eligible, form_decided, drafted, approved, carried_out, confirmed, declined, halted,
    -- superseded
    state text not null,
    -- The unit that concluded and carries it out.
    unit text not null,
    -- The units whose personnel department keeps the subject's record.
    kept_by text[] not null,
    -- Whether the subject cannot be heard, and the unit decides, or decided, in their place.
    unreachable boolean not null,
    -- written, in_person, meeting, bulletin; null while none is decided.
    form text,
    -- Null unless it is approved and not yet carried out.
    due_on date,
    -- near, overdue: what was said of the last day of carrying out while it is approved, and of the organisation
    -- department's note once it was carried out; else null.
    notice text,
    -- The day on which the name was cleared; null unless it is.
    cleared_on date,
    -- The meetings that it was ever carried out at: id, unit, held_on.
    meetings jsonb not null,
    -- Its entries in ledgers: unit, year, number, form, entered_on and, of a superseding one, supersedes.
    entries jsonb not null,
    -- Actors who are subjects or declared a conflict, and the marks of reporters: they are not shown the clarification.
    recused text[] not null,
    reporter_marks text[] not null
);

create index clarifications_v3_source on clarifications_v3 (source);
create index clarifications_v3_matter on clarifications_v3 (matter);
create index clarifications_v3_subject on clarifications_v3 (subject);
-- The ledger of a unit and year is read by what its entries contain.
create index clarifications_v3_entries on clarifications_v3 using gin (entries jsonb_path_ops);
