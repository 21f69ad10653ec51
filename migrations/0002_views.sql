-- migrate:up
CREATE VIEW session_log AS
SELECT
    t.session_id,
    p.name AS person,
    t.turn,
    t.speaker,
    t.said_at,
    coalesce(t.heard, t.text) AS text,
    t.heard_fraction,
    t.emotion,
    t.emotion_probability,
    t.risk_level,
    t.revision,
    t.interrupted,
    t.id AS turn_id
FROM turns t
JOIN people p ON p.id = t.person_id
ORDER BY t.said_at, t.turn, t.speaker;
COMMENT ON VIEW session_log IS 'The talks: one row for each side of each turn';
COMMENT ON COLUMN session_log.session_id IS 'The talk';
COMMENT ON COLUMN session_log.person IS 'Whose talk';
COMMENT ON COLUMN session_log.turn IS 'Number of the turn; both sides share it';
COMMENT ON COLUMN session_log.speaker IS 'person or tadbot';
COMMENT ON COLUMN session_log.said_at IS 'When this side began to speak';
COMMENT ON COLUMN session_log.text IS 'The words; of a reply only those that were heard';
COMMENT ON COLUMN session_log.heard_fraction IS 'Share of a reply that was heard, 0 to 1; null: unknown';
COMMENT ON COLUMN session_log.emotion IS 'Label seen on the face meanwhile; null: no face was seen';
COMMENT ON COLUMN session_log.emotion_probability IS 'Probability of that label, 0 to 1, uncalibrated';
COMMENT ON COLUMN session_log.risk_level IS 'Danger in the words: none, concern, high or imminent';
COMMENT ON COLUMN session_log.revision IS 'How often the words were corrected while they were spoken';
COMMENT ON COLUMN session_log.interrupted IS 'Whether the other side spoke before this one had ended';
COMMENT ON COLUMN session_log.turn_id IS 'Names this side of this turn everywhere';

CREATE VIEW emotion_timeline AS
SELECT
    e.session_id,
    p.name AS person,
    e.at,
    e.label,
    e.probability,
    e.second_label,
    e.second_probability,
    e.third_label,
    e.third_probability
FROM emotions e
JOIN people p ON p.id = e.person_id
ORDER BY e.at;
COMMENT ON VIEW emotion_timeline IS 'What was seen on the face: one row a picture with a face in it';
COMMENT ON COLUMN emotion_timeline.session_id IS 'The talk';
COMMENT ON COLUMN emotion_timeline.person IS 'Whose face';
COMMENT ON COLUMN emotion_timeline.at IS 'When';
COMMENT ON COLUMN emotion_timeline.label IS 'The most probable emotion';
COMMENT ON COLUMN emotion_timeline.probability IS 'Its probability, 0 to 1, uncalibrated';
COMMENT ON COLUMN emotion_timeline.second_label IS 'The second most probable';
COMMENT ON COLUMN emotion_timeline.second_probability IS 'Its probability';
COMMENT ON COLUMN emotion_timeline.third_label IS 'The third most probable';
COMMENT ON COLUMN emotion_timeline.third_probability IS 'Its probability';

CREATE VIEW session_summary AS
SELECT
    s.id AS session_id,
    p.name AS person,
    s.started_at,
    s.ended_at,
    (
        SELECT count(DISTINCT t.turn) FROM turns t WHERE t.session_id = s.id AND t.turn > 0
    ) AS turns,
    coalesce(
        (SELECT mode() WITHIN GROUP (ORDER BY e.label) FROM emotions e WHERE e.session_id = s.id),
        (SELECT mode() WITHIN GROUP (ORDER BY t.emotion) FROM turns t WHERE t.session_id = s.id)
    ) AS top_emotion,
    (
        SELECT coalesce((ARRAY['none', 'concern', 'high', 'imminent'])[
            max(array_position(ARRAY['none', 'concern', 'high', 'imminent'], found.level))
        ], 'none')
        FROM (
            SELECT t.risk_level AS level FROM turns t WHERE t.session_id = s.id
            UNION ALL
            SELECT v.level FROM events v WHERE v.session_id = s.id
        ) found
    ) AS highest_risk,
    s.summary
FROM sessions s
JOIN people p ON p.id = s.person_id
ORDER BY s.started_at;
COMMENT ON VIEW session_summary IS 'One row a talk';
COMMENT ON COLUMN session_summary.session_id IS 'The talk';
COMMENT ON COLUMN session_summary.person IS 'Who talked';
COMMENT ON COLUMN session_summary.started_at IS 'When it began';
COMMENT ON COLUMN session_summary.ended_at IS 'When it ended; null while it lasts or when the server was killed in it';
COMMENT ON COLUMN session_summary.turns IS 'How many turns the person took; the greeting is turn 0';
COMMENT ON COLUMN session_summary.top_emotion IS 'The label seen most often; null: no face was seen';
COMMENT ON COLUMN session_summary.highest_risk IS 'The gravest danger noticed: none, concern, high or imminent';
COMMENT ON COLUMN session_summary.summary IS 'The talk in short; empty: there is none';

CREATE VIEW mood_by_day AS
SELECT
    p.name AS person,
    d.day,
    d.label,
    d.rows::float8 / sum(d.rows) OVER (PARTITION BY d.person_id, d.day)::float8 AS share
FROM (
    SELECT e.person_id, e.at::date AS day, e.label, count(*) AS rows
    FROM emotions e
    GROUP BY 1, 2, 3
) d
JOIN people p ON p.id = d.person_id
ORDER BY d.day, share DESC;
COMMENT ON VIEW mood_by_day IS 'How often each emotion was seen on each day';
COMMENT ON COLUMN mood_by_day.person IS 'Whose face';
COMMENT ON COLUMN mood_by_day.day IS 'The day, in the time zone of the one who asks';
COMMENT ON COLUMN mood_by_day.label IS 'The emotion';
COMMENT ON COLUMN mood_by_day.share IS 'Its share of the pictures of that day, 0 to 1';

CREATE VIEW latency_log AS
SELECT
    l.session_id,
    l.turn,
    l.end_of_turn_ms,
    l.stt_ms,
    l.safety_ms,
    l.recall_ms,
    l.llm_first_token_ms,
    l.llm_first_clause_ms,
    l.tts_first_sound_ms,
    l.first_sound_ms,
    l.at
FROM latencies l
ORDER BY l.at, l.turn;
COMMENT ON VIEW latency_log IS 'Where the time of each turn went, in milliseconds; null: the stage did not run';
COMMENT ON COLUMN latency_log.session_id IS 'The talk';
COMMENT ON COLUMN latency_log.turn IS 'Number of the turn in its talk';
COMMENT ON COLUMN latency_log.end_of_turn_ms IS 'From the end of speech until the turn was held to be over';
COMMENT ON COLUMN latency_log.stt_ms IS 'Speech to text';
COMMENT ON COLUMN latency_log.safety_ms IS 'Screening the words for danger';
COMMENT ON COLUMN latency_log.recall_ms IS 'Finding memories';
COMMENT ON COLUMN latency_log.llm_first_token_ms IS 'Until the language model''s first piece';
COMMENT ON COLUMN latency_log.llm_first_clause_ms IS 'Until its first whole clause';
COMMENT ON COLUMN latency_log.tts_first_sound_ms IS 'Until the first sound of that clause';
COMMENT ON COLUMN latency_log.first_sound_ms IS 'From the end of speech until the first sound was sent';
COMMENT ON COLUMN latency_log.at IS 'When the person stopped speaking';

CREATE VIEW risk_events AS
SELECT
    v.session_id,
    p.name AS person,
    v.at,
    v.level,
    v.reason,
    v.said,
    v.turn
FROM events v
JOIN people p ON p.id = v.person_id
ORDER BY v.at;
COMMENT ON VIEW risk_events IS 'Danger noticed in what was said';
COMMENT ON COLUMN risk_events.session_id IS 'The talk';
COMMENT ON COLUMN risk_events.person IS 'Who said it';
COMMENT ON COLUMN risk_events.at IS 'When';
COMMENT ON COLUMN risk_events.level IS 'concern, high or imminent';
COMMENT ON COLUMN risk_events.reason IS 'What was recognised';
COMMENT ON COLUMN risk_events.said IS 'The person''s words';
COMMENT ON COLUMN risk_events.turn IS 'Number of the turn in its talk';

-- migrate:down
DROP VIEW risk_events, latency_log, mood_by_day, session_summary, emotion_timeline, session_log;
