-- Beside: 1
-- +goose Up

CREATE TABLE seals (
    number BIGINT NOT NULL,
    day    DATE NOT NULL,
    at     TIMESTAMPTZ NOT NULL,
    body   TEXT NOT NULL,
    hash   TEXT NOT NULL,
    CONSTRAINT seals_pkey PRIMARY KEY (number),
    CONSTRAINT seals_day_unique UNIQUE (day),
    CONSTRAINT seals_number_positive CHECK (number > 0)
);
COMMENT ON TABLE seals IS 'Once a day, the heads of the chains that have changed. A chain of its own: hash = hex(sha256(previous hash, newline, body)).';
COMMENT ON COLUMN seals.number IS 'Counts from 1, without gaps.';
COMMENT ON COLUMN seals.day IS 'The last day that was over, in UTC. A seal covers all days since the one before it.';
COMMENT ON COLUMN seals.at IS 'When it was made.';
COMMENT ON COLUMN seals.body IS 'Canonical JSON text: exactly these bytes are hashed.';

CREATE TABLE seal_heads (
    seal  BIGINT NOT NULL,
    chain BIGINT NOT NULL,
    seq   BIGINT NOT NULL,
    hash  TEXT NOT NULL,
    CONSTRAINT seal_heads_pkey PRIMARY KEY (chain, seq)
);
COMMENT ON TABLE seal_heads IS 'The heads that each seal holds: those of the chains that have changed since they were last sealed. The body of the seal holds their digest.';
COMMENT ON COLUMN seal_heads.seal IS 'The number of the seal.';
COMMENT ON COLUMN seal_heads.chain IS 'The number of the change; 0 for the system chain.';
COMMENT ON COLUMN seal_heads.seq IS 'The newest event of the chain when it was sealed.';
COMMENT ON COLUMN seal_heads.hash IS 'The hash of that event.';
CREATE INDEX seal_heads_seal_idx ON seal_heads (seal, chain);

-- A seal reads what has changed since the last, not what exists.
CREATE INDEX changes_last_at_idx ON changes (last_at);

INSERT INTO chains (chain, last_seq, last_hash, last_at) VALUES (-1, 0, '', '-infinity');
COMMENT ON TABLE chains IS 'Heads of the chains that belong to no change: 0 is the system chain, -1 that of the seals.';

-- +goose StatementBegin
CREATE FUNCTION seals_guard() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'seals are append-only' USING ERRCODE = 'restrict_violation';
END $$;
-- +goose StatementEnd
CREATE TRIGGER seals_guard BEFORE UPDATE OR DELETE ON seals FOR EACH ROW EXECUTE FUNCTION seals_guard();
CREATE TRIGGER seals_guard_truncate BEFORE TRUNCATE ON seals FOR EACH STATEMENT EXECUTE FUNCTION seals_guard();
CREATE TRIGGER seal_heads_guard BEFORE UPDATE OR DELETE ON seal_heads FOR EACH ROW EXECUTE FUNCTION seals_guard();
CREATE TRIGGER seal_heads_guard_truncate BEFORE TRUNCATE ON seal_heads FOR EACH STATEMENT EXECUTE FUNCTION seals_guard();

-- +goose Down
DROP INDEX changes_last_at_idx;
DROP TABLE seal_heads, seals;
DROP FUNCTION seals_guard;
DELETE FROM chains WHERE chain = -1;
COMMENT ON TABLE chains IS 'Heads of the chains that belong to no change: 0 is the system chain.';
