-- Clarification's own tables; the chassis brings the journal and everything beside it.
-- A view's row is a pure function of a clarification's state and can be made again from the journal.

create table clarifications_v1 (
    id uuid primary key,
    -- The version of the clarification that the row shows.
    version bigint not null,
    matter uuid not null,
    subject uuid not null,
    -- person, organisation
    subject_kind text not null,
    -- Where the matter was entered from: a register's name, or empty.
    source text not null,
    -- screening, eligible, not_eligible, form_decided, drafted, approved, carried_out, confirmed, declined, halted, superseded
    state text not null,
    -- The unit that concluded and carries it out.
    unit text not null,
    -- The units whose personnel department keeps the subject's record.
    kept_by text[] not null,
    -- written, in_person, meeting, bulletin; null while none is decided.
    form text,
    -- Null unless it is approved and not yet carried out.
    due_on date,
    -- The meetings that it was ever carried out at.
    meetings uuid[] not null,
    -- Its entries in ledgers: unit, year, number, form, entered_on and, of a superseding one, supersedes.
    entries jsonb not null,
    -- Actors who are subjects or declared a conflict, and the marks of reporters: they are not shown the clarification.
    recused text[] not null,
    reporter_marks text[] not null
);

create index clarifications_v1_source on clarifications_v1 (source);
create index clarifications_v1_matter on clarifications_v1 (matter);
create index clarifications_v1_subject on clarifications_v1 (subject);
-- The ledger of a unit and year is read by what its entries contain.
create index clarifications_v1_entries on clarifications_v1 using gin (entries jsonb_path_ops);
