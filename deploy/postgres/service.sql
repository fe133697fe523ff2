-- A service's place in a database: two roles, one schema, and nothing else within reach.
--
--   psql -v service=intake -v owner_password=… -v password=… -f service.sql DATABASE
--
-- By a superuser, or by a role that may create roles and owns the database. Running it again changes
-- nothing but the passwords, which it sets. Several may run at once, in one database or in many.
--
-- <service>_owner owns the tables and migrates them; <service> runs. That the running role is not
-- the owner is what makes the journal append-only: what an owner loses by REVOKE it can give itself
-- back. The tables that must not be changed are revoked from <service> by the migrations that make them.

\set ON_ERROR_STOP on
\set QUIET on
SET client_min_messages = warning;
\set owner :service _owner

-- A statement within $$ sees no psql variables, so they travel as settings of the session.
SELECT set_config('zhengming.service', :'service', false),
       set_config('zhengming.owner', :'owner', false),
       set_config('zhengming.password', :'password', false),
       set_config('zhengming.owner_password', :'owner_password', false) \g /dev/null

-- Roles belong to the whole cluster, where no advisory lock reaches: those are of one database. So two
-- runs in two databases may collide, and the one that comes second tries again. It has waited for
-- the first by then, as both want the same row.
DO $$
DECLARE
    login  record;
    drifted boolean;
    attempt int := 0;
BEGIN
    IF current_setting('zhengming.service') !~ '^[a-z][a-z0-9_-]{0,40}$' THEN
        RAISE EXCEPTION 'a service''s name is lower case and fits a role: %', current_setting('zhengming.service');
    END IF;
    FOR login IN
        SELECT current_setting('zhengming.owner') AS name, current_setting('zhengming.owner_password') AS password
        UNION ALL
        SELECT current_setting('zhengming.service'), current_setting('zhengming.password')
    LOOP
        LOOP
            BEGIN
                SELECT rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls INTO drifted
                FROM pg_roles WHERE rolname = login.name;
                IF NOT FOUND THEN
                    EXECUTE format('CREATE ROLE %I NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS', login.name);
                ELSIF drifted THEN
                    EXECUTE format('ALTER ROLE %I NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS', login.name);
                END IF;
                EXECUTE format('ALTER ROLE %I LOGIN PASSWORD %L', login.name, login.password);
                EXIT;
            EXCEPTION
                WHEN duplicate_object OR unique_violation OR undefined_object THEN
                    attempt := attempt + 1;
                    IF attempt > 100 THEN RAISE; END IF;
                WHEN internal_error THEN
                    attempt := attempt + 1;
                    IF SQLERRM NOT LIKE 'tuple concurrently %' OR attempt > 100 THEN RAISE; END IF;
            END;
            PERFORM pg_sleep(random() * 0.02);
        END LOOP;
    END LOOP;
END
$$;

BEGIN;
-- What follows belongs to this database, and here the lock does reach.
SELECT pg_advisory_xact_lock(hashtextextended('zhengming service.sql', 0)) \g /dev/null

-- Who is no superuser must be a member of the owner to give it a schema.
SELECT format('GRANT %I TO CURRENT_USER', :'owner')
FROM pg_roles
WHERE rolname = current_user AND NOT rolsuper AND NOT pg_has_role(current_user, :'owner', 'USAGE') \gexec

REVOKE ALL ON SCHEMA public FROM PUBLIC;
SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database()) \gexec
SELECT format('GRANT CONNECT ON DATABASE %I TO %I, %I', current_database(), :'owner', :'service') \gexec

-- Extensions have a schema of their own, so that a search path can name them without naming tables.
CREATE SCHEMA IF NOT EXISTS extensions;
CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA extensions;
GRANT USAGE ON SCHEMA extensions TO :"owner", :"service";

CREATE SCHEMA IF NOT EXISTS :"service" AUTHORIZATION :"owner";
GRANT USAGE ON SCHEMA :"service" TO :"service";

-- Statements are never schema-qualified: this is what makes them speak of the one schema.
SELECT format('ALTER ROLE %I IN DATABASE %I SET search_path = %I, extensions', role, current_database(), :'service')
FROM unnest(ARRAY[:'owner', :'service']) AS role \gexec

ALTER DEFAULT PRIVILEGES FOR ROLE :"owner" IN SCHEMA :"service" GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO :"service";
ALTER DEFAULT PRIVILEGES FOR ROLE :"owner" IN SCHEMA :"service" GRANT USAGE ON SEQUENCES TO :"service";
COMMIT;
