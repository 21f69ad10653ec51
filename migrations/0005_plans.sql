-- migrate:up
CREATE TABLE plans (
    person_id uuid NOT NULL REFERENCES people ON DELETE CASCADE,
    step integer NOT NULL CHECK (step BETWEEN 1 AND 6),
    text text NOT NULL CHECK (text <> ''),
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (person_id, step)
);
COMMENT ON TABLE plans IS
    'What a person made for a worse moment, after the safety plan of Stanley and Brown: one row a '
    'step; kept with the consent memory, and only while a talk is kept under it';
COMMENT ON COLUMN plans.person_id IS 'Whose plan';
COMMENT ON COLUMN plans.step IS
    '1 warning signs, 2 what I can do alone, 3 people and places that distract, 4 whom I can ask, '
    '5 professionals and help lines, 6 keeping what could hurt me out of reach';
COMMENT ON COLUMN plans.text IS 'The person''s words; a step that was left out has no row';
COMMENT ON COLUMN plans.changed_at IS 'When this step was last given other words';

ALTER TABLE people ADD COLUMN minor boolean;
COMMENT ON COLUMN people.minor IS
    'Whether the person said that they are a minor; kept like a plan; null: not known';

ALTER TABLE sessions ADD COLUMN risk_level text
    CHECK (risk_level IN ('none', 'concern', 'high', 'imminent'));
COMMENT ON COLUMN sessions.risk_level IS
    'How near danger was when it ended, with which the next one begins; null: it has not ended, or '
    'does not keep memory';

-- tadbot_reader sees neither plan nor age, and no view shows them: a plan names other people and the means
-- that could hurt, an age serves the talk alone. Whoever reads the log needs neither, and the
-- person has the plan on their own device.

-- migrate:down
ALTER TABLE sessions DROP COLUMN risk_level;
ALTER TABLE people DROP COLUMN minor;
DROP TABLE plans;
