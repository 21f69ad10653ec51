-- migrate:up
-- Roles belong to the whole cluster: another database may have made this one, and the
-- embedded server makes it with a login. Where it is made here, it is entered by SET ROLE.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'tadbot_reader') THEN
        CREATE ROLE tadbot_reader NOLOGIN;
        EXECUTE format('GRANT tadbot_reader TO %I', current_user);
    END IF;
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN NULL;
    WHEN insufficient_privilege THEN
        RAISE EXCEPTION 'the role tadbot_reader is missing; have an administrator run: '
            'CREATE ROLE tadbot_reader; GRANT tadbot_reader TO %', quote_ident(current_user);
END $$;

-- Temporary tables and new objects would be writing.
DO $$
BEGIN
    EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
END $$;

GRANT USAGE ON SCHEMA public TO tadbot_reader;
GRANT SELECT ON session_log, emotion_timeline, session_summary, mood_by_day, latency_log,
    risk_events TO tadbot_reader;

-- migrate:down
REVOKE ALL ON session_log, emotion_timeline, session_summary, mood_by_day, latency_log,
    risk_events FROM tadbot_reader;
REVOKE USAGE ON SCHEMA public FROM tadbot_reader;
-- The role stays while another database uses it, or where it is not ours to drop.
DO $$
BEGIN
    DROP ROLE tadbot_reader;
EXCEPTION
    WHEN dependent_objects_still_exist OR insufficient_privilege OR object_in_use
        OR undefined_object THEN NULL;
END $$;
