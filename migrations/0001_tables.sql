-- migrate:up
CREATE EXTENSION IF NOT EXISTS vector;

COMMENT ON TABLE schema_migrations IS 'Which migrations this database has had; written by dbmate';
COMMENT ON COLUMN schema_migrations.version IS 'Number at the start of the migration''s file name';

CREATE TABLE people (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name text NOT NULL UNIQUE,
    last_disclosed_at timestamptz
);
COMMENT ON TABLE people IS 'Who consented that something of their talks is kept; nobody else has a row';
COMMENT ON COLUMN people.id IS 'Random; never shown to other people';
COMMENT ON COLUMN people.name IS 'What the person is called here; "local" where there is only one';
COMMENT ON COLUMN people.last_disclosed_at IS
    'When the person was last told that this is a machine and not a therapist; null: unknown, so tell';

CREATE TABLE devices (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    person_id uuid NOT NULL REFERENCES people ON DELETE CASCADE,
    name text NOT NULL,
    UNIQUE (person_id, name)
);
COMMENT ON TABLE devices IS 'The clients that a person talked through';
COMMENT ON COLUMN devices.id IS 'Random';
COMMENT ON COLUMN devices.person_id IS 'Whose device';
COMMENT ON COLUMN devices.name IS 'What the client calls itself';

CREATE TABLE sessions (
    id uuid PRIMARY KEY,
    person_id uuid NOT NULL REFERENCES people ON DELETE CASCADE,
    device_id uuid REFERENCES devices ON DELETE SET NULL,
    started_at timestamptz NOT NULL,
    ended_at timestamptz,
    country text NOT NULL DEFAULT '',
    language text NOT NULL DEFAULT '',
    time_zone text NOT NULL DEFAULT '',
    keeps text[] NOT NULL CHECK (keeps <@ ARRAY['memory', 'emotion-log'] AND keeps <> '{}'),
    summary text NOT NULL DEFAULT '',
    audit_key uuid NOT NULL DEFAULT gen_random_uuid()
);
CREATE INDEX ON sessions (person_id, started_at);
CREATE INDEX ON sessions (device_id);
COMMENT ON TABLE sessions IS 'One row a talk of which something is kept';
COMMENT ON COLUMN sessions.id IS 'Random; the client resumes by it';
COMMENT ON COLUMN sessions.person_id IS 'Who talked';
COMMENT ON COLUMN sessions.device_id IS 'Through which client; null where it has no name';
COMMENT ON COLUMN sessions.started_at IS 'When the client opened the talk';
COMMENT ON COLUMN sessions.ended_at IS 'When it ended; null while it lasts or when the server was killed in it';
COMMENT ON COLUMN sessions.country IS 'ISO 3166-1 alpha-2, for the help lines; empty: unknown';
COMMENT ON COLUMN sessions.language IS 'ISO 639-1; empty: unknown';
COMMENT ON COLUMN sessions.time_zone IS 'IANA name; empty: unknown';
COMMENT ON COLUMN sessions.keeps IS 'The consents it is kept under: memory, emotion-log or both';
COMMENT ON COLUMN sessions.summary IS 'The talk in short; empty without the consent memory';
COMMENT ON COLUMN sessions.audit_key IS 'Links lines of the audit to this session until it is forgotten';

CREATE TABLE turns (
    id uuid PRIMARY KEY,
    session_id uuid NOT NULL REFERENCES sessions ON DELETE CASCADE,
    person_id uuid NOT NULL REFERENCES people ON DELETE CASCADE,
    turn integer NOT NULL CHECK (turn >= 0),
    revision integer NOT NULL DEFAULT 0,
    speaker text NOT NULL CHECK (speaker IN ('person', 'tadbot')),
    said_at timestamptz NOT NULL,
    text text NOT NULL,
    heard text,
    heard_fraction double precision CHECK (heard_fraction BETWEEN 0 AND 1),
    emotion text,
    emotion_probability double precision CHECK (emotion_probability BETWEEN 0 AND 1),
    risk_level text NOT NULL DEFAULT 'none'
        CHECK (risk_level IN ('none', 'concern', 'high', 'imminent')),
    interrupted boolean NOT NULL DEFAULT false
);
CREATE INDEX ON turns (session_id, turn);
CREATE INDEX ON turns (person_id, said_at);
COMMENT ON TABLE turns IS 'Both sides of each turn; kept with the consent memory';
COMMENT ON COLUMN turns.id IS 'Random; writing the same turn again changes this row';
COMMENT ON COLUMN turns.session_id IS 'The talk';
COMMENT ON COLUMN turns.person_id IS 'Whose talk, also for what tadbot says';
COMMENT ON COLUMN turns.turn IS 'Number of the turn in its talk; both sides share it';
COMMENT ON COLUMN turns.revision IS 'How often the words of the turn were corrected while it was spoken';
COMMENT ON COLUMN turns.speaker IS 'person or tadbot';
COMMENT ON COLUMN turns.said_at IS 'When this side began to speak';
COMMENT ON COLUMN turns.text IS 'What was said, or what was to be said';
COMMENT ON COLUMN turns.heard IS 'What of the text reached the person; null: unknown, or the person''s own words';
COMMENT ON COLUMN turns.heard_fraction IS 'Share of the text that was heard, 0 to 1; null like heard';
COMMENT ON COLUMN turns.emotion IS 'Label seen on the face meanwhile; null: no face was seen';
COMMENT ON COLUMN turns.emotion_probability IS 'Probability of that label, 0 to 1, uncalibrated';
COMMENT ON COLUMN turns.risk_level IS 'Danger in the words: none, concern, high or imminent';
COMMENT ON COLUMN turns.interrupted IS 'Whether the other side spoke before this one had ended';

CREATE TABLE emotions (
    session_id uuid NOT NULL REFERENCES sessions ON DELETE CASCADE,
    person_id uuid NOT NULL REFERENCES people ON DELETE CASCADE,
    at timestamptz NOT NULL,
    label text NOT NULL,
    probability double precision NOT NULL CHECK (probability BETWEEN 0 AND 1),
    second_label text,
    second_probability double precision CHECK (second_probability BETWEEN 0 AND 1),
    third_label text,
    third_probability double precision CHECK (third_probability BETWEEN 0 AND 1),
    PRIMARY KEY (session_id, at)
);
CREATE INDEX ON emotions (person_id, at);
COMMENT ON TABLE emotions IS 'One row a picture with a face in it; kept with the consent emotion-log';
COMMENT ON COLUMN emotions.session_id IS 'The talk';
COMMENT ON COLUMN emotions.person_id IS 'Whose face';
COMMENT ON COLUMN emotions.at IS 'When the picture was taken';
COMMENT ON COLUMN emotions.label IS 'The most probable of the seven emotions of RAF-DB';
COMMENT ON COLUMN emotions.probability IS 'Its probability, 0 to 1, uncalibrated';
COMMENT ON COLUMN emotions.second_label IS 'The second most probable';
COMMENT ON COLUMN emotions.second_probability IS 'Its probability';
COMMENT ON COLUMN emotions.third_label IS 'The third most probable';
COMMENT ON COLUMN emotions.third_probability IS 'Its probability';

CREATE TABLE latencies (
    session_id uuid NOT NULL REFERENCES sessions ON DELETE CASCADE,
    person_id uuid NOT NULL REFERENCES people ON DELETE CASCADE,
    turn integer NOT NULL,
    at timestamptz NOT NULL,
    end_of_turn_ms double precision,
    stt_ms double precision,
    safety_ms double precision,
    recall_ms double precision,
    llm_first_token_ms double precision,
    llm_first_clause_ms double precision,
    tts_first_sound_ms double precision,
    first_sound_ms double precision,
    PRIMARY KEY (session_id, turn)
);
CREATE INDEX ON latencies (person_id, at);
COMMENT ON TABLE latencies IS 'Where the time of each turn went, in milliseconds; null: the stage did not run';
COMMENT ON COLUMN latencies.session_id IS 'The talk';
COMMENT ON COLUMN latencies.person_id IS 'Who waited';
COMMENT ON COLUMN latencies.turn IS 'Number of the turn in its talk';
COMMENT ON COLUMN latencies.at IS 'When the person stopped speaking';
COMMENT ON COLUMN latencies.end_of_turn_ms IS 'From the end of speech until the turn was held to be over';
COMMENT ON COLUMN latencies.stt_ms IS 'Speech to text';
COMMENT ON COLUMN latencies.safety_ms IS 'Screening the words for danger';
COMMENT ON COLUMN latencies.recall_ms IS 'Finding memories';
COMMENT ON COLUMN latencies.llm_first_token_ms IS 'Until the language model''s first piece';
COMMENT ON COLUMN latencies.llm_first_clause_ms IS 'Until its first whole clause';
COMMENT ON COLUMN latencies.tts_first_sound_ms IS 'Until the first sound of that clause';
COMMENT ON COLUMN latencies.first_sound_ms IS 'From the end of speech until the first sound was sent';

CREATE TABLE memories (
    id uuid PRIMARY KEY,
    person_id uuid NOT NULL REFERENCES people ON DELETE CASCADE,
    session_id uuid NOT NULL REFERENCES sessions ON DELETE CASCADE,
    turn integer NOT NULL,
    kind text NOT NULL,
    text text NOT NULL,
    embedding halfvec(384) NOT NULL,
    model text NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX ON memories (person_id);
CREATE INDEX ON memories (session_id);
COMMENT ON TABLE memories IS 'Words worth recalling, with their meaning; kept with the consent memory';
COMMENT ON COLUMN memories.id IS 'Random';
COMMENT ON COLUMN memories.person_id IS 'Whose memory; it is recalled for nobody else';
COMMENT ON COLUMN memories.session_id IS 'The talk it comes from';
COMMENT ON COLUMN memories.turn IS 'The turn it comes from';
COMMENT ON COLUMN memories.kind IS 'What it is, such as turn';
COMMENT ON COLUMN memories.text IS 'The words';
COMMENT ON COLUMN memories.embedding IS 'Their meaning, of length 1';
COMMENT ON COLUMN memories.model IS 'The embedder; vectors of two models cannot be compared';
COMMENT ON COLUMN memories.created_at IS 'When it was said';

CREATE TABLE consents (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    person_id uuid NOT NULL REFERENCES people ON DELETE CASCADE,
    purpose text NOT NULL CHECK (purpose IN ('memory', 'emotion-log', 'share')),
    granted boolean NOT NULL,
    at timestamptz NOT NULL
);
CREATE INDEX ON consents (person_id, purpose, id);
COMMENT ON TABLE consents IS 'Each change of what a person allows; the newest row of a purpose holds';
COMMENT ON COLUMN consents.id IS 'In the order of the changes';
COMMENT ON COLUMN consents.person_id IS 'Who decided';
COMMENT ON COLUMN consents.purpose IS 'memory, emotion-log or share';
COMMENT ON COLUMN consents.granted IS 'True: given; false: taken back';
COMMENT ON COLUMN consents.at IS 'When';

CREATE TABLE events (
    id uuid PRIMARY KEY,
    session_id uuid NOT NULL REFERENCES sessions ON DELETE CASCADE,
    person_id uuid NOT NULL REFERENCES people ON DELETE CASCADE,
    turn integer NOT NULL,
    at timestamptz NOT NULL,
    level text NOT NULL CHECK (level IN ('none', 'concern', 'high', 'imminent')),
    reason text NOT NULL,
    said text NOT NULL
);
CREATE INDEX ON events (session_id);
CREATE INDEX ON events (person_id, at);
COMMENT ON TABLE events IS 'Danger noticed in what was said; kept with the consent memory';
COMMENT ON COLUMN events.id IS 'Random';
COMMENT ON COLUMN events.session_id IS 'The talk';
COMMENT ON COLUMN events.person_id IS 'Who said it';
COMMENT ON COLUMN events.turn IS 'Number of the turn in its talk';
COMMENT ON COLUMN events.at IS 'When it was said';
COMMENT ON COLUMN events.level IS 'concern, high or imminent';
COMMENT ON COLUMN events.reason IS 'What was recognised';
COMMENT ON COLUMN events.said IS 'The person''s words';

CREATE TABLE audit (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    code text NOT NULL,
    level text NOT NULL,
    day date NOT NULL,
    key uuid
);
CREATE INDEX ON audit (key) WHERE key IS NOT NULL;
COMMENT ON TABLE audit IS
    'What the server did, of all talks: no person, session or words. Rows are only added; '
    'forgetting empties the key';
COMMENT ON COLUMN audit.id IS 'Random, so that it does not tell the order';
COMMENT ON COLUMN audit.code IS 'Stable name of what happened';
COMMENT ON COLUMN audit.level IS 'Its gravity: none, concern, high or imminent';
COMMENT ON COLUMN audit.day IS 'The day, in UTC; no time, so that it cannot be matched with a talk';
COMMENT ON COLUMN audit.key IS 'sessions.audit_key of a kept session; null: nameless';

CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.key IS NULL
        AND (NEW.id, NEW.code, NEW.level, NEW.day) = (OLD.id, OLD.code, OLD.level, OLD.day)
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'the audit is append-only';
END $$;
COMMENT ON FUNCTION audit_is_append_only IS 'Refuses every change of the audit but the loss of a key';
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit
    FOR EACH ROW EXECUTE FUNCTION audit_is_append_only();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();

CREATE FUNCTION audit_forgets_key() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE audit SET key = NULL WHERE key = OLD.audit_key;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION audit_forgets_key IS 'Makes the audit of a session nameless when its key goes';
CREATE TRIGGER audit_forgets_key AFTER DELETE OR UPDATE OF audit_key ON sessions
    FOR EACH ROW EXECUTE FUNCTION audit_forgets_key();

-- migrate:down
DROP TABLE audit, events, consents, memories, latencies, emotions, turns, sessions, devices, people;
DROP FUNCTION audit_is_append_only, audit_forgets_key;
