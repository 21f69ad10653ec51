-- migrate:up
ALTER TABLE latencies ADD COLUMN prompt_tokens integer, ADD COLUMN cached_tokens integer;
COMMENT ON COLUMN latencies.prompt_tokens IS 'Tokens that the language model was asked with';
COMMENT ON COLUMN latencies.cached_tokens IS 'Of these, how many it had kept from an earlier prompt';

CREATE OR REPLACE VIEW latency_log AS
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
    l.at,
    l.prompt_tokens,
    l.cached_tokens
FROM latencies l
ORDER BY l.at, l.turn;
COMMENT ON COLUMN latency_log.prompt_tokens IS 'Tokens that the language model was asked with';
COMMENT ON COLUMN latency_log.cached_tokens IS 'Of these, how many it had kept from an earlier prompt';

-- migrate:down
DROP VIEW latency_log;
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
GRANT SELECT ON latency_log TO tadbot_reader;
ALTER TABLE latencies DROP COLUMN prompt_tokens, DROP COLUMN cached_tokens;
