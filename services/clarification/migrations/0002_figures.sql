-- Figures by unit and period: the table of the view anew, with the day on which a name was cleared, and for each meeting
-- by which unit it was held and when. `clarification rebuild-views` fills it from the journal.

drop table clarifications_v1;

create table clarifications_v2 (
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

create index clarifications_v2_source on clarifications_v2 (source);
create index clarifications_v2_matter on clarifications_v2 (matter);
create index clarifications_v2_subject on clarifications_v2 (subject);
-- The ledger of a unit and year is read by what its entries contain.
create index clarifications_v2_entries on clarifications_v2 using gin (entries jsonb_path_ops);
