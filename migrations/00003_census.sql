-- Beside: 1
-- +goose Up

ALTER TABLE assignments ADD COLUMN missed_at TIMESTAMPTZ, ADD COLUMN counted_at TIMESTAMPTZ;
COMMENT ON COLUMN assignments.missed_at IS 'Since when AWS does not list an access that is wanted and was there: it is looked for, and made again. Null: nothing is missed.';
COMMENT ON COLUMN assignments.counted_at IS 'When the census last looked at its account and permission set.';

CREATE TABLE census (
    instance_arn          TEXT NOT NULL,
    began_at              TIMESTAMPTZ,
    cursor_account        TEXT NOT NULL DEFAULT '',
    cursor_permission_set TEXT NOT NULL DEFAULT '',
    pairs                 INT NOT NULL DEFAULT 0,
    skipped               INT NOT NULL DEFAULT 0,
    tries                 INT NOT NULL DEFAULT 0,
    last_began_at         TIMESTAMPTZ,
    last_ended_at         TIMESTAMPTZ,
    last_pairs            INT NOT NULL DEFAULT 0,
    last_skipped          INT NOT NULL DEFAULT 0,
    next_try              TIMESTAMPTZ NOT NULL,
    claim                 TEXT NOT NULL DEFAULT '',
    lease_until           TIMESTAMPTZ,
    CONSTRAINT census_pkey PRIMARY KEY (instance_arn)
);
COMMENT ON TABLE census IS 'How far the census has come: the periodic look at who is assigned what in AWS. One row for each Identity Center instance.';
COMMENT ON COLUMN census.began_at IS 'When the round under way began; null between rounds.';
COMMENT ON COLUMN census.cursor_account IS 'The account of the last pair that the round under way is done with. Pairs go by account and permission set.';
COMMENT ON COLUMN census.cursor_permission_set IS 'The permission set of that pair.';
COMMENT ON COLUMN census.pairs IS 'How many pairs of account and permission set the round under way is done with.';
COMMENT ON COLUMN census.skipped IS 'How many of them AWS did not let it look at.';
COMMENT ON COLUMN census.tries IS 'How often in a row AWS gave no answer about the next pair; the pauses grow with it.';
COMMENT ON COLUMN census.last_began_at IS 'When the last full round began; null: there was none.';
COMMENT ON COLUMN census.last_ended_at IS 'When the last full round ended.';
COMMENT ON COLUMN census.last_pairs IS 'How many pairs the last full round was about.';
COMMENT ON COLUMN census.last_skipped IS 'How many of them AWS did not let it look at.';
COMMENT ON COLUMN census.next_try IS 'When the census is due.';
COMMENT ON COLUMN census.claim IS 'A random mark of whoever works on it; empty: nobody. Only its holder may save.';
COMMENT ON COLUMN census.lease_until IS 'Until when the claim holds; then anybody may take it over.';

CREATE TABLE census_findings (
    id                 BIGINT GENERATED ALWAYS AS IDENTITY,
    kind               TEXT NOT NULL,
    instance_arn       TEXT NOT NULL,
    account_id         TEXT NOT NULL,
    permission_set_arn TEXT NOT NULL,
    user_id            TEXT NOT NULL,
    user_name          TEXT NOT NULL DEFAULT '',
    number             BIGINT NOT NULL DEFAULT 0,
    removing           BOOLEAN NOT NULL DEFAULT FALSE,
    state              TEXT NOT NULL,
    outcome            TEXT NOT NULL DEFAULT '',
    version            BIGINT NOT NULL DEFAULT 0,
    first_seen_at      TIMESTAMPTZ NOT NULL,
    last_seen_at       TIMESTAMPTZ NOT NULL,
    unlike_since       TIMESTAMPTZ,
    told_at            TIMESTAMPTZ,
    decided_by         TEXT NOT NULL DEFAULT '',
    decided_at         TIMESTAMPTZ,
    late_at            TIMESTAMPTZ,
    closed_at          TIMESTAMPTZ,
    next_look_at       TIMESTAMPTZ,
    CONSTRAINT census_findings_pkey PRIMARY KEY (id),
    CONSTRAINT census_findings_kind_known CHECK (kind IN ('unasked', 'left', 'vanished')),
    CONSTRAINT census_findings_state_known CHECK (state IN ('suspected', 'open', 'standing', 'ending', 'closed', 'dismissed')),
    CONSTRAINT census_findings_outcome_known CHECK (outcome IN ('', 'gone', 'ended', 'settled', 'back', 'over', 'unconfigured')),
    CONSTRAINT census_findings_outcome_of_closed CHECK ((state = 'closed') = (outcome <> ''))
);
COMMENT ON TABLE census_findings IS 'Where AWS and the ledger disagree about an access, as the census saw it. internal/change/census.go says what each kind, state and outcome means.';
COMMENT ON COLUMN census_findings.kind IS 'unasked: no change wants it. left: it should have gone. vanished: a change has it, and AWS does not list it.';
COMMENT ON COLUMN census_findings.user_name IS 'What the identity store called the user when the finding was told; empty: it did not say.';
COMMENT ON COLUMN census_findings.number IS 'The change that has, or last had, to do with the access; 0: none.';
COMMENT ON COLUMN census_findings.removing IS 'The access is ours and is being removed without anybody having to say so.';
COMMENT ON COLUMN census_findings.state IS 'suspected: seen by one look, told to nobody. open: told. standing: somebody marked it as standing. ending: somebody had it ended. closed: it is no more. dismissed: a second look did not agree.';
COMMENT ON COLUMN census_findings.outcome IS 'How a closed one ended; empty while it has not.';
COMMENT ON COLUMN census_findings.version IS 'Counts what people are shown of it; 0: nothing yet.';
COMMENT ON COLUMN census_findings.first_seen_at IS 'The first look that found it.';
COMMENT ON COLUMN census_findings.last_seen_at IS 'The newest look that found it.';
COMMENT ON COLUMN census_findings.unlike_since IS 'The first of the unbroken row of looks that did not find it; null: the newest look did.';
COMMENT ON COLUMN census_findings.told_at IS 'When a second look agreed, and it was told.';
COMMENT ON COLUMN census_findings.decided_by IS 'Who marked it as standing or had it ended; empty: nobody.';
COMMENT ON COLUMN census_findings.late_at IS 'When people were told that its end is late.';
COMMENT ON COLUMN census_findings.next_look_at IS 'When it is looked at besides the rounds; null: by the rounds only.';
CREATE UNIQUE INDEX census_findings_live_idx ON census_findings (instance_arn, account_id, permission_set_arn, user_id, (kind = 'vanished'))
    WHERE state IN ('suspected', 'open', 'standing', 'ending');
CREATE INDEX census_findings_next_look_idx ON census_findings (next_look_at) WHERE next_look_at IS NOT NULL;

-- +goose Down
DROP TABLE census_findings, census;
ALTER TABLE assignments DROP COLUMN missed_at, DROP COLUMN counted_at;
