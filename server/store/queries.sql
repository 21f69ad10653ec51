-- name: make_person
-- Makes a person if new and gives the id.
INSERT INTO people (name) VALUES (%(person)s)
ON CONFLICT (name) DO UPDATE SET name = excluded.name
RETURNING id;

-- name: make_device
-- Makes a device of a person if new and gives the id.
INSERT INTO devices (person_id, name) VALUES (%(person_id)s, %(device)s)
ON CONFLICT (person_id, name) DO UPDATE SET name = excluded.name
RETURNING id;

-- name: open_session
-- Begins a session or takes it up again; no row comes back if it is another person's.
INSERT INTO sessions (id, person_id, device_id, started_at, country, language, time_zone, keeps)
VALUES (
    %(id)s, %(person_id)s, %(device_id)s, %(started_at)s, %(country)s, %(language)s,
    %(time_zone)s, %(keeps)s
)
ON CONFLICT (id) DO UPDATE SET
    ended_at = NULL,
    keeps = ARRAY(SELECT DISTINCT unnest(sessions.keeps || excluded.keeps) ORDER BY 1)
WHERE sessions.person_id = excluded.person_id
RETURNING id;

-- name: close_session
-- Ends a session.
UPDATE sessions SET
    ended_at = %(ended_at)s,
    summary = CASE WHEN 'memory' = ANY (keeps) THEN %(summary)s ELSE '' END,
    risk_level = CASE WHEN 'memory' = ANY (keeps) THEN %(risk_level)s END
WHERE id = %(session_id)s;

-- name: session
-- Finds a session.
SELECT
    s.id, s.started_at, p.name AS person, coalesce(d.name, '') AS device, s.country, s.language,
    s.time_zone, s.keeps, s.ended_at, s.summary
FROM sessions s
JOIN people p ON p.id = s.person_id
LEFT JOIN devices d ON d.id = s.device_id
WHERE s.id = %(session_id)s;

-- name: history
-- Lists the turns of a session in the order they were said.
SELECT
    id, session_id, turn, speaker, said_at, text, revision, heard, heard_fraction, emotion,
    emotion_probability, risk_level, interrupted
FROM turns
WHERE session_id = %(session_id)s
ORDER BY turn, said_at, speaker;

-- name: write_turns
-- Writes turns, or more about them; gives the ids of those that are kept. The lock on the
-- session makes an erasure wait for the rows that it could not see yet, here and below.
INSERT INTO turns (
    id, session_id, person_id, turn, revision, speaker, said_at, text, heard, heard_fraction,
    emotion, emotion_probability, risk_level, interrupted
)
SELECT
    r.id, s.id, s.person_id, r.turn, r.revision, r.speaker, r.said_at, r.text, r.heard,
    r.heard_fraction,
    CASE WHEN 'emotion-log' = ANY (s.keeps) THEN r.emotion END,
    CASE WHEN 'emotion-log' = ANY (s.keeps) THEN r.emotion_probability END,
    r.risk_level, r.interrupted
FROM jsonb_to_recordset(%(rows)s) AS r (
    id uuid, session_id uuid, turn integer, revision integer, speaker text, said_at timestamptz,
    text text, heard text, heard_fraction float8, emotion text, emotion_probability float8,
    risk_level text, interrupted boolean
)
JOIN sessions s ON s.id = r.session_id AND 'memory' = ANY (s.keeps)
FOR SHARE OF s
ON CONFLICT (id) DO UPDATE SET
    revision = excluded.revision,
    said_at = excluded.said_at,
    text = excluded.text,
    heard = excluded.heard,
    heard_fraction = excluded.heard_fraction,
    emotion = excluded.emotion,
    emotion_probability = excluded.emotion_probability,
    risk_level = excluded.risk_level,
    interrupted = excluded.interrupted
WHERE turns.session_id = excluded.session_id
RETURNING id;

-- name: write_emotions
-- Writes what was seen on faces.
INSERT INTO emotions (
    session_id, person_id, at, label, probability, second_label, second_probability,
    third_label, third_probability
)
SELECT
    s.id, s.person_id, r.at,
    r.scores -> 0 ->> 0, (r.scores -> 0 ->> 1)::float8,
    r.scores -> 1 ->> 0, (r.scores -> 1 ->> 1)::float8,
    r.scores -> 2 ->> 0, (r.scores -> 2 ->> 1)::float8
FROM jsonb_to_recordset(%(rows)s) AS r (session_id uuid, at timestamptz, scores jsonb)
JOIN sessions s ON s.id = r.session_id AND 'emotion-log' = ANY (s.keeps)
FOR SHARE OF s
ON CONFLICT (session_id, at) DO NOTHING;

-- name: write_latencies
-- Writes where the time of turns went.
INSERT INTO latencies (
    session_id, person_id, turn, at, end_of_turn_ms, stt_ms, safety_ms, recall_ms,
    llm_first_token_ms, llm_first_clause_ms, tts_first_sound_ms, first_sound_ms, prompt_tokens,
    cached_tokens
)
SELECT
    s.id, s.person_id, r.turn, r.at, r.end_of_turn_ms, r.stt_ms, r.safety_ms, r.recall_ms,
    r.llm_first_token_ms, r.llm_first_clause_ms, r.tts_first_sound_ms, r.first_sound_ms,
    r.prompt_tokens, r.cached_tokens
FROM jsonb_to_recordset(%(rows)s) AS r (
    session_id uuid, turn integer, at timestamptz, end_of_turn_ms float8, stt_ms float8,
    safety_ms float8, recall_ms float8, llm_first_token_ms float8, llm_first_clause_ms float8,
    tts_first_sound_ms float8, first_sound_ms float8, prompt_tokens integer, cached_tokens integer
)
JOIN sessions s ON s.id = r.session_id AND 'memory' = ANY (s.keeps)
FOR SHARE OF s
ON CONFLICT (session_id, turn) DO UPDATE SET
    at = excluded.at,
    end_of_turn_ms = excluded.end_of_turn_ms,
    stt_ms = excluded.stt_ms,
    safety_ms = excluded.safety_ms,
    recall_ms = excluded.recall_ms,
    llm_first_token_ms = excluded.llm_first_token_ms,
    llm_first_clause_ms = excluded.llm_first_clause_ms,
    tts_first_sound_ms = excluded.tts_first_sound_ms,
    first_sound_ms = excluded.first_sound_ms,
    prompt_tokens = excluded.prompt_tokens,
    cached_tokens = excluded.cached_tokens;

-- name: write_events
-- Writes danger that was noticed.
INSERT INTO events (id, session_id, person_id, turn, at, level, reason, said)
SELECT r.id, s.id, s.person_id, r.turn, r.at, r.level, r.reason, r.said
FROM jsonb_to_recordset(%(rows)s) AS r (
    id uuid, session_id uuid, turn integer, at timestamptz, level text, reason text, said text
)
JOIN sessions s ON s.id = r.session_id AND 'memory' = ANY (s.keeps)
FOR SHARE OF s
ON CONFLICT (id) DO NOTHING;

-- name: add_memories
-- Keeps memories.
INSERT INTO memories (id, person_id, session_id, turn, kind, text, embedding, model, created_at)
SELECT r.id, s.person_id, s.id, r.turn, r.kind, r.text, r.vector::halfvec, r.model, r.created_at
FROM jsonb_to_recordset(%(rows)s) AS r (
    id uuid, session_id uuid, turn integer, kind text, text text, vector text, model text,
    created_at timestamptz
)
JOIN sessions s ON s.id = r.session_id AND 'memory' = ANY (s.keeps)
FOR SHARE OF s
ON CONFLICT (id) DO NOTHING;

-- name: recall
-- Finds the nearest memories of a person; "+ 0" keeps an index by meaning, which loses rows
-- under a filter by person, from ever being taken.
SELECT
    m.text, m.created_at, 1 - (m.embedding <=> %(vector)s::halfvec) AS similarity, m.session_id,
    m.turn, m.kind
FROM memories m
WHERE m.person_id = (SELECT id FROM people WHERE name = %(person)s) AND m.model = %(model)s
ORDER BY (m.embedding <=> %(vector)s::halfvec) + 0, m.created_at DESC
LIMIT %(limit)s;

-- name: set_consent
-- Writes a consent down if it differs from the newest of its purpose (or, at first, from "no").
INSERT INTO consents (person_id, purpose, granted, at)
SELECT p.id, %(purpose)s, %(granted)s, %(at)s
FROM people p
WHERE p.name = %(person)s AND %(granted)s <> coalesce((
    SELECT c.granted FROM consents c
    WHERE c.person_id = p.id AND c.purpose = %(purpose)s
    ORDER BY c.id DESC LIMIT 1
), false);

-- name: consents
-- Lists the purposes that a person allows now.
SELECT newest.purpose
FROM (
    SELECT DISTINCT ON (c.purpose) c.purpose, c.granted
    FROM consents c
    JOIN people p ON p.id = c.person_id
    WHERE p.name = %(person)s
    ORDER BY c.purpose, c.id DESC
) newest
WHERE newest.granted;

-- name: last_disclosure
-- Says when a person was last told that this is a machine.
SELECT last_disclosed_at FROM people WHERE name = %(person)s;

-- name: set_last_disclosure
-- Writes down when a person was told.
UPDATE people SET last_disclosed_at = %(at)s WHERE name = %(person)s;

-- name: plan
-- Lists the steps of a person's safety plan.
SELECT l.step, l.text FROM plans l JOIN people p ON p.id = l.person_id
WHERE p.name = %(person)s;

-- name: drop_steps
-- Erases the steps of a person's plan but some.
DELETE FROM plans
WHERE person_id = (SELECT id FROM people WHERE name = %(person)s) AND step <> ALL (%(but)s);

-- name: write_steps
-- Writes steps of a plan, for somebody of whom a talk is kept under the consent memory.
INSERT INTO plans (person_id, step, text, changed_at)
SELECT p.id, r.step, r.text, r.changed_at
FROM jsonb_to_recordset(%(rows)s) AS r (
    person text, step integer, text text, changed_at timestamptz
)
JOIN people p ON p.name = r.person
WHERE EXISTS (SELECT FROM sessions WHERE person_id = p.id AND 'memory' = ANY (keeps))
ON CONFLICT (person_id, step) DO UPDATE SET
    text = excluded.text,
    changed_at = excluded.changed_at
WHERE plans.text <> excluded.text;

-- name: minor
-- Says whether a person said that they are a minor.
SELECT minor FROM people WHERE name = %(person)s;

-- name: set_minor
-- Writes down whether they are, for somebody of whom a talk is kept under the consent memory.
UPDATE people p SET minor = %(minor)s
WHERE p.name = %(person)s
    AND EXISTS (SELECT FROM sessions WHERE person_id = p.id AND 'memory' = ANY (keeps));

-- name: talk_days
-- Counts the days on which a person's sessions began.
SELECT count(DISTINCT (s.started_at AT TIME ZONE 'UTC')::date) AS days
FROM sessions s JOIN people p ON p.id = s.person_id
WHERE p.name = %(person)s AND s.started_at >= %(since)s;

-- name: levels_of_newest_session
-- Gives the level at the end of a person's newest session besides one; where it did not end, the
-- dangers noticed in it.
WITH newest AS (
    SELECT s.id, s.risk_level
    FROM sessions s
    JOIN people p ON p.id = s.person_id
    WHERE p.name = %(person)s AND s.id <> %(besides)s
    ORDER BY s.started_at DESC LIMIT 1
)
SELECT risk_level AS level FROM newest WHERE risk_level IS NOT NULL
UNION
SELECT t.risk_level FROM turns t JOIN newest n ON n.id = t.session_id AND n.risk_level IS NULL
UNION
SELECT v.level FROM events v JOIN newest n ON n.id = v.session_id AND n.risk_level IS NULL;

-- name: lock_person
-- Makes openers of a person's sessions wait until this transaction has ended; not FOR UPDATE,
-- which would also stop writers that hold the session which this transaction locks next.
SELECT FROM people WHERE name = %(person)s FOR NO KEY UPDATE;

-- name: lock_sessions
-- Makes writers of a person's rows wait until this transaction has ended.
SELECT s.id FROM sessions s JOIN people p ON p.id = s.person_id
WHERE p.name = %(person)s ORDER BY s.id FOR UPDATE OF s;

-- name: person_of_session
-- Says whose a session is.
SELECT p.name AS person FROM sessions s JOIN people p ON p.id = s.person_id
WHERE s.id = %(session_id)s;

-- name: erase_memory
-- Erases all that was kept of a person under the consent memory but the plan and the age, which
-- `drop_without_talk` takes.
WITH who AS (SELECT id FROM people WHERE name = %(person)s),
t AS (DELETE FROM turns WHERE person_id IN (TABLE who)),
m AS (DELETE FROM memories WHERE person_id IN (TABLE who)),
l AS (DELETE FROM latencies WHERE person_id IN (TABLE who)),
v AS (DELETE FROM events WHERE person_id IN (TABLE who)),
p AS (UPDATE people SET last_disclosed_at = NULL WHERE id IN (TABLE who))
UPDATE sessions SET
    summary = '',
    risk_level = NULL,
    audit_key = gen_random_uuid(),
    keeps = CASE WHEN keeps = '{memory}' THEN keeps ELSE array_remove(keeps, 'memory') END
WHERE person_id IN (TABLE who);

-- name: erase_emotion_log
-- Erases all that was seen on a person's face.
WITH who AS (SELECT id FROM people WHERE name = %(person)s),
e AS (DELETE FROM emotions WHERE person_id IN (TABLE who)),
t AS (
    UPDATE turns SET emotion = NULL, emotion_probability = NULL
    WHERE person_id IN (TABLE who) AND emotion IS NOT NULL
)
UPDATE sessions SET
    keeps = CASE
        WHEN keeps = '{emotion-log}' THEN keeps ELSE array_remove(keeps, 'emotion-log')
    END
WHERE person_id IN (TABLE who);

-- name: drop_sessions_kept_for
-- Erases the sessions of a person that were kept for one purpose alone.
DELETE FROM sessions
WHERE person_id = (SELECT id FROM people WHERE name = %(person)s) AND keeps = ARRAY[%(purpose)s];

-- name: forget_session
-- Erases a session; what hangs on it goes with it.
DELETE FROM sessions WHERE id = %(session_id)s;

-- name: forget_span
-- Erases what was said, seen and remembered in a span of time.
WITH who AS (SELECT id FROM people WHERE name = %(person)s),
t AS (
    DELETE FROM turns
    WHERE person_id IN (TABLE who) AND said_at >= %(begin)s AND said_at < %(end)s
    RETURNING session_id
),
m AS (
    DELETE FROM memories
    WHERE person_id IN (TABLE who) AND created_at >= %(begin)s AND created_at < %(end)s
    RETURNING session_id
),
l AS (
    DELETE FROM latencies
    WHERE person_id IN (TABLE who) AND at >= %(begin)s AND at < %(end)s
    RETURNING session_id
),
v AS (
    DELETE FROM events
    WHERE person_id IN (TABLE who) AND at >= %(begin)s AND at < %(end)s
    RETURNING session_id
),
e AS (
    DELETE FROM emotions
    WHERE person_id IN (TABLE who) AND at >= %(begin)s AND at < %(end)s
    RETURNING session_id
),
n AS (
    DELETE FROM plans
    WHERE person_id IN (TABLE who) AND changed_at >= %(begin)s AND changed_at < %(end)s
),
touched AS (TABLE t UNION TABLE m UNION TABLE l UNION TABLE v UNION TABLE e)
UPDATE sessions SET summary = '', risk_level = NULL WHERE id IN (TABLE touched)
RETURNING id;

-- name: drop_empty_sessions
-- Erases those of some sessions that have ended and on which nothing hangs any more.
DELETE FROM sessions s
WHERE s.id = ANY (%(ids)s)
    AND s.ended_at IS NOT NULL
    AND NOT EXISTS (SELECT FROM turns WHERE session_id = s.id)
    AND NOT EXISTS (SELECT FROM emotions WHERE session_id = s.id)
    AND NOT EXISTS (SELECT FROM memories WHERE session_id = s.id)
    AND NOT EXISTS (SELECT FROM latencies WHERE session_id = s.id)
    AND NOT EXISTS (SELECT FROM events WHERE session_id = s.id);

-- name: forget_age
-- Erases whether a person is a minor, if none of their words is kept any more.
UPDATE people p SET minor = NULL
WHERE p.name = %(person)s AND p.minor IS NOT NULL
    AND NOT EXISTS (SELECT FROM turns WHERE person_id = p.id)
    AND NOT EXISTS (SELECT FROM memories WHERE person_id = p.id)
    AND NOT EXISTS (SELECT FROM events WHERE person_id = p.id);

-- name: drop_without_talk
-- Erases the plan and the age of a person (null: everybody) of whom no talk is kept under the
-- consent memory any more.
WITH who AS (
    SELECT p.id FROM people p
    WHERE (%(person)s::text IS NULL OR p.name = %(person)s)
        AND NOT EXISTS (
            SELECT FROM sessions s WHERE s.person_id = p.id AND 'memory' = ANY (s.keeps)
        )
),
n AS (DELETE FROM plans WHERE person_id IN (TABLE who))
UPDATE people SET minor = NULL WHERE id IN (TABLE who) AND minor IS NOT NULL;

-- name: forget_person
-- Erases a person; what hangs on them goes with them.
DELETE FROM people WHERE name = %(person)s;

-- name: purge
-- Erases the sessions that began before a moment.
DELETE FROM sessions WHERE started_at < %(before)s;

-- name: drop_unused_people
-- Erases a person (null: everybody) of whom nothing is kept and who allows no keeping; a share
-- of nothing is nothing.
DELETE FROM people p
WHERE (%(person)s::text IS NULL OR p.name = %(person)s)
    AND NOT EXISTS (SELECT FROM sessions WHERE person_id = p.id)
    AND NOT EXISTS (
        SELECT FROM (
            SELECT DISTINCT ON (c.purpose) c.granted FROM consents c
            WHERE c.person_id = p.id AND c.purpose <> 'share' ORDER BY c.purpose, c.id DESC
        ) newest
        WHERE newest.granted
    );

-- name: audit
-- Adds a line to the audit.
INSERT INTO audit (code, level, day, key)
VALUES (
    %(code)s, %(level)s, %(day)s,
    (SELECT audit_key FROM sessions WHERE id = %(session_id)s AND 'memory' = ANY (keeps))
);

-- name: audit_counts
-- Counts the lines of the audit by month, code and level.
SELECT to_char(day, 'YYYY-MM') AS month, code, level, count(*) AS count
FROM audit
GROUP BY 1, 2, 3
ORDER BY 1, code COLLATE "C", array_position(ARRAY['none', 'concern', 'high', 'imminent'], level);

-- name: counts
-- Counts the rows of every table.
SELECT
    (SELECT count(*) FROM people) AS people,
    (SELECT count(*) FROM devices) AS devices,
    (SELECT count(*) FROM sessions) AS sessions,
    (SELECT count(*) FROM turns) AS turns,
    (SELECT count(*) FROM emotions) AS emotions,
    (SELECT count(*) FROM latencies) AS latencies,
    (SELECT count(*) FROM memories) AS memories,
    (SELECT count(*) FROM consents) AS consents,
    (SELECT count(*) FROM events) AS events,
    (SELECT count(*) FROM plans) AS plans,
    (SELECT count(*) FROM audit) AS audit;

-- name: counts_of_person
-- Counts a person's rows in every table; of the audit, the lines that their keys still link.
WITH who AS (SELECT id FROM people WHERE name = %(person)s)
SELECT
    (SELECT count(*) FROM who) AS people,
    (SELECT count(*) FROM devices WHERE person_id IN (TABLE who)) AS devices,
    (SELECT count(*) FROM sessions WHERE person_id IN (TABLE who)) AS sessions,
    (SELECT count(*) FROM turns WHERE person_id IN (TABLE who)) AS turns,
    (SELECT count(*) FROM emotions WHERE person_id IN (TABLE who)) AS emotions,
    (SELECT count(*) FROM latencies WHERE person_id IN (TABLE who)) AS latencies,
    (SELECT count(*) FROM memories WHERE person_id IN (TABLE who)) AS memories,
    (SELECT count(*) FROM consents WHERE person_id IN (TABLE who)) AS consents,
    (SELECT count(*) FROM events WHERE person_id IN (TABLE who)) AS events,
    (SELECT count(*) FROM plans WHERE person_id IN (TABLE who)) AS plans,
    (
        SELECT count(*) FROM audit
        WHERE key IN (SELECT audit_key FROM sessions WHERE person_id IN (TABLE who))
    ) AS audit;
