-- +goose Up

CREATE TABLE phases (
    phase TEXT NOT NULL,
    final BOOLEAN NOT NULL,
    CONSTRAINT phases_pkey PRIMARY KEY (phase)
);
COMMENT ON TABLE phases IS 'Where a change can stand. The same list stands in internal/change/phase.go, and a test compares the two.';
COMMENT ON COLUMN phases.final IS 'No step leads out of it.';

INSERT INTO phases (phase, final) VALUES
    ('requested', FALSE), ('approved', FALSE), ('active', FALSE), ('ended', FALSE),
    ('closed', TRUE), ('denied', TRUE), ('withdrawn', TRUE), ('lapsed', TRUE), ('failed', TRUE);

CREATE TABLE phase_moves (
    from_phase TEXT NOT NULL,
    to_phase   TEXT NOT NULL,
    CONSTRAINT phase_moves_pkey PRIMARY KEY (from_phase, to_phase),
    CONSTRAINT phase_moves_from_fkey FOREIGN KEY (from_phase) REFERENCES phases (phase),
    CONSTRAINT phase_moves_to_fkey FOREIGN KEY (to_phase) REFERENCES phases (phase)
);
COMMENT ON TABLE phase_moves IS 'The legal steps of a change. The trigger on changes refuses every other.';

INSERT INTO phase_moves (from_phase, to_phase) VALUES
    ('requested', 'approved'), ('requested', 'denied'), ('requested', 'withdrawn'), ('requested', 'lapsed'),
    ('approved', 'active'), ('approved', 'failed'), ('approved', 'withdrawn'), ('approved', 'ended'),
    ('active', 'ended'), ('ended', 'closed');

CREATE TABLE numbers (
    name TEXT NOT NULL,
    last BIGINT NOT NULL,
    CONSTRAINT numbers_pkey PRIMARY KEY (name)
);
COMMENT ON TABLE numbers IS 'The last number given, without gaps: it is taken in the transaction that uses it.';
INSERT INTO numbers (name, last) VALUES ('change', 0);

CREATE TABLE changes (
    number       BIGINT NOT NULL,
    version      BIGINT NOT NULL,
    phase        TEXT NOT NULL,
    kind         TEXT NOT NULL,
    requester    TEXT NOT NULL,
    implementer  TEXT NOT NULL,
    confidential BOOLEAN NOT NULL,
    requested_at TIMESTAMPTZ NOT NULL,
    started_at   TIMESTAMPTZ,
    ended_at     TIMESTAMPTZ,
    next_at      TIMESTAMPTZ,
    ticket_id    TEXT,
    incident_id  TEXT,
    document     JSONB NOT NULL,
    last_seq     BIGINT NOT NULL,
    last_hash    TEXT NOT NULL,
    last_at      TIMESTAMPTZ NOT NULL,
    CONSTRAINT changes_pkey PRIMARY KEY (number),
    CONSTRAINT changes_phase_fkey FOREIGN KEY (phase) REFERENCES phases (phase),
    CONSTRAINT changes_number_positive CHECK (number > 0),
    CONSTRAINT changes_version_positive CHECK (version > 0)
);
COMMENT ON TABLE changes IS 'Each emergency change as it stands now. Its events tell how it came to be.';
COMMENT ON COLUMN changes.number IS 'The n of EC-n.';
COMMENT ON COLUMN changes.version IS 'Counts the transactions that altered the change.';
COMMENT ON COLUMN changes.next_at IS 'When the clock must look at it again; null for never.';
COMMENT ON COLUMN changes.document IS 'The whole change as JSON.';
COMMENT ON COLUMN changes.last_seq IS 'The number of its newest event.';
COMMENT ON COLUMN changes.last_at IS 'When its newest event happened; none comes before it.';
COMMENT ON COLUMN changes.last_hash IS 'Head of its chain of events.';
CREATE INDEX changes_next_at_idx ON changes (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX changes_open_idx ON changes (number) WHERE phase IN ('requested', 'approved', 'active', 'ended');
CREATE INDEX changes_requester_idx ON changes (requester, number);
CREATE INDEX changes_ticket_idx ON changes (ticket_id) WHERE ticket_id IS NOT NULL;
CREATE INDEX changes_incident_idx ON changes (incident_id) WHERE incident_id IS NOT NULL;

-- +goose StatementBegin
CREATE FUNCTION changes_guard() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP IN ('DELETE', 'TRUNCATE') THEN
        RAISE EXCEPTION 'changes are never deleted' USING ERRCODE = 'restrict_violation';
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF NEW.phase NOT IN ('requested', 'ended') THEN
            RAISE EXCEPTION 'a change cannot begin as %', NEW.phase USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF NEW.phase <> OLD.phase AND NOT EXISTS (
        SELECT 1 FROM phase_moves WHERE from_phase = OLD.phase AND to_phase = NEW.phase
    ) THEN
        RAISE EXCEPTION 'EC-% cannot go from % to %', OLD.number, OLD.phase, NEW.phase USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.number <> OLD.number OR NEW.version < OLD.version OR NEW.last_seq < OLD.last_seq THEN
        RAISE EXCEPTION 'EC-% cannot go back in time', OLD.number USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER changes_guard BEFORE INSERT OR UPDATE OR DELETE ON changes FOR EACH ROW EXECUTE FUNCTION changes_guard();
CREATE TRIGGER changes_guard_truncate BEFORE TRUNCATE ON changes FOR EACH STATEMENT EXECUTE FUNCTION changes_guard();

CREATE TABLE chains (
    chain     BIGINT NOT NULL,
    last_seq  BIGINT NOT NULL,
    last_hash TEXT NOT NULL,
    last_at   TIMESTAMPTZ NOT NULL,
    CONSTRAINT chains_pkey PRIMARY KEY (chain)
);
COMMENT ON TABLE chains IS 'Heads of the chains that belong to no change: 0 is the system chain.';
COMMENT ON COLUMN chains.last_seq IS 'The number of the newest event.';
COMMENT ON COLUMN chains.last_hash IS 'The hash of the newest event; empty when there is none.';
COMMENT ON COLUMN chains.last_at IS 'When the newest event happened; none comes before it.';
INSERT INTO chains (chain, last_seq, last_hash, last_at) VALUES (0, 0, '', '-infinity');

CREATE TABLE events (
    chain BIGINT NOT NULL,
    seq   BIGINT NOT NULL,
    at    TIMESTAMPTZ NOT NULL,
    type  TEXT NOT NULL,
    actor TEXT NOT NULL,
    body  TEXT NOT NULL,
    hash  TEXT NOT NULL,
    CONSTRAINT events_pkey PRIMARY KEY (chain, seq),
    CONSTRAINT events_seq_positive CHECK (seq > 0)
);
COMMENT ON TABLE events IS 'The append-only, hash-chained journal. hash = hex(sha256(previous hash, newline, body)).';
COMMENT ON COLUMN events.chain IS 'The number of the change; 0 for the system chain.';
COMMENT ON COLUMN events.seq IS 'Counts the events of the chain from 1, without gaps.';
COMMENT ON COLUMN events.body IS 'Canonical JSON text: exactly these bytes are hashed.';
CREATE INDEX events_system_idx ON events (actor, at) WHERE chain = 0;

CREATE TABLE event_texts (
    chain BIGINT NOT NULL,
    seq   BIGINT NOT NULL,
    field TEXT NOT NULL,
    salt  TEXT NOT NULL,
    text  TEXT NOT NULL,
    CONSTRAINT event_texts_pkey PRIMARY KEY (chain, seq, field),
    CONSTRAINT event_texts_event_fkey FOREIGN KEY (chain, seq) REFERENCES events (chain, seq)
);
COMMENT ON TABLE event_texts IS 'Free text and personal data of events, kept beside the chain so that it can be erased. The event holds hex(sha256(salt, text)).';
COMMENT ON COLUMN event_texts.field IS 'Which text of the event it is.';
COMMENT ON COLUMN event_texts.salt IS 'Random, so that a text cannot be guessed from its hash.';

-- +goose StatementBegin
CREATE FUNCTION events_guard() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'events are append-only' USING ERRCODE = 'restrict_violation';
END $$;
-- +goose StatementEnd
CREATE TRIGGER events_guard BEFORE UPDATE OR DELETE ON events FOR EACH ROW EXECUTE FUNCTION events_guard();
CREATE TRIGGER events_guard_truncate BEFORE TRUNCATE ON events FOR EACH STATEMENT EXECUTE FUNCTION events_guard();
-- A text may be erased, but never be replaced by another.
CREATE TRIGGER event_texts_guard BEFORE UPDATE ON event_texts FOR EACH ROW EXECUTE FUNCTION events_guard();

CREATE TABLE obligations (
    number   BIGINT NOT NULL,
    name     TEXT NOT NULL,
    item     INT NOT NULL,
    state    TEXT NOT NULL,
    owner    TEXT NOT NULL,
    due_at   TIMESTAMPTZ,
    CONSTRAINT obligations_pkey PRIMARY KEY (number, name, item),
    CONSTRAINT obligations_change_fkey FOREIGN KEY (number) REFERENCES changes (number),
    CONSTRAINT obligations_state_known CHECK (state IN ('owed', 'done', 'waived'))
);
COMMENT ON TABLE obligations IS 'What each change owes, or owed, to be searched. The document of the change is what counts.';
COMMENT ON COLUMN obligations.owner IS 'The person who owes it; empty where groups do.';
COMMENT ON COLUMN obligations.item IS 'Which of several of the same name; 0 where there is one.';
CREATE INDEX obligations_owner_idx ON obligations (owner) WHERE state = 'owed';

CREATE TABLE assignments (
    id                 BIGINT GENERATED ALWAYS AS IDENTITY,
    instance_arn       TEXT NOT NULL,
    account_id         TEXT NOT NULL,
    permission_set_arn TEXT NOT NULL,
    user_id            TEXT NOT NULL,
    standing           TEXT NOT NULL DEFAULT '',
    operation          TEXT NOT NULL DEFAULT '',
    sent_at            TIMESTAMPTZ,
    request_id         TEXT NOT NULL DEFAULT '',
    polls              INT NOT NULL DEFAULT 0,
    known              TEXT[] NOT NULL DEFAULT '{}',
    open_creates       INT NOT NULL DEFAULT 0,
    create_open_since  TIMESTAMPTZ,
    clear_since        TIMESTAMPTZ,
    failure            TEXT NOT NULL DEFAULT '',
    seen_at            TIMESTAMPTZ,
    absent_since       TIMESTAMPTZ,
    looked_at          TIMESTAMPTZ,
    watch_until        TIMESTAMPTZ,
    trouble            TEXT NOT NULL DEFAULT '',
    next_try           TIMESTAMPTZ,
    claim              TEXT NOT NULL DEFAULT '',
    lease_until        TIMESTAMPTZ,
    CONSTRAINT assignments_pkey PRIMARY KEY (id),
    CONSTRAINT assignments_key_unique UNIQUE (instance_arn, account_id, permission_set_arn, user_id),
    CONSTRAINT assignments_standing_known CHECK (standing IN ('', 'ours', 'found', 'kept')),
    CONSTRAINT assignments_operation_known CHECK (operation IN ('', 'create', 'delete')),
    CONSTRAINT assignments_open_creates_dated CHECK ((open_creates > 0) = (create_open_since IS NOT NULL))
);
COMMENT ON TABLE assignments IS 'Each access in AWS that a change has asked for: what is ours, what was there before, and what is in flight.';
COMMENT ON COLUMN assignments.standing IS 'Empty: not known yet. ours: to be removed when no grant wants it. found: it was there before us, and is left alone. kept: an approver has marked it as standing.';
COMMENT ON COLUMN assignments.operation IS 'What is in flight, committed before AWS is called.';
COMMENT ON COLUMN assignments.sent_at IS 'When the operation in flight was sent.';
COMMENT ON COLUMN assignments.request_id IS 'What AWS calls the operation in flight; empty: not known.';
COMMENT ON COLUMN assignments.polls IS 'How often in a row the operation, or the list, was looked at in vain; the pauses grow with it.';
COMMENT ON COLUMN assignments.known IS 'Request ids of the newest creates that are accounted for, so that one which is looked for is not taken for them.';
COMMENT ON COLUMN assignments.open_creates IS 'How many creates were sent of whose outcome nothing is known yet, besides the operation in flight.';
COMMENT ON COLUMN assignments.create_open_since IS 'When the newest of the open creates was sent.';
COMMENT ON COLUMN assignments.clear_since IS 'Since when nothing that we made can be there: the look before our first create, or a settled delete. Null when something may be.';
COMMENT ON COLUMN assignments.failure IS 'Why AWS refused the last create, until the changes that wanted it have been told.';
COMMENT ON COLUMN assignments.absent_since IS 'The first of the unbroken row of looks that did not find it.';
COMMENT ON COLUMN assignments.seen_at IS 'When it was last found in AWS.';
COMMENT ON COLUMN assignments.looked_at IS 'When AWS was last looked at for it, found or not.';
COMMENT ON COLUMN assignments.watch_until IS 'Until when it is looked at once a day although it is gone.';
COMMENT ON COLUMN assignments.trouble IS 'What went wrong last; empty: nothing.';
COMMENT ON COLUMN assignments.next_try IS 'When it is due; null when nothing is to be done.';
COMMENT ON COLUMN assignments.claim IS 'A random mark of whoever works on it; empty: nobody. Only its holder may save.';
COMMENT ON COLUMN assignments.lease_until IS 'Until when the claim holds; then anybody may take it over.';
CREATE INDEX assignments_next_try_idx ON assignments (next_try) WHERE next_try IS NOT NULL;

CREATE TABLE grants (
    number        BIGINT NOT NULL,
    assignment_id BIGINT NOT NULL,
    wanted        BOOLEAN NOT NULL,
    over          BOOLEAN NOT NULL,
    CONSTRAINT grants_pkey PRIMARY KEY (number),
    CONSTRAINT grants_change_fkey FOREIGN KEY (number) REFERENCES changes (number),
    CONSTRAINT grants_assignment_fkey FOREIGN KEY (assignment_id) REFERENCES assignments (id)
);
COMMENT ON TABLE grants IS 'Which change wants which assignment. An assignment is wanted while one of its grants is.';
COMMENT ON COLUMN grants.wanted IS 'The access is to be there.';
COMMENT ON COLUMN grants.over IS 'The change has been told that its access is gone, or never had any.';
CREATE INDEX grants_assignment_idx ON grants (assignment_id) WHERE NOT over;

CREATE TABLE deliveries (
    id          BIGINT GENERATED ALWAYS AS IDENTITY,
    number      BIGINT NOT NULL,
    kind        TEXT NOT NULL,
    key         TEXT NOT NULL,
    system      TEXT NOT NULL,
    mode        TEXT NOT NULL,
    recipient   TEXT NOT NULL,
    ref         JSONB NOT NULL,
    wanted      BIGINT NOT NULL,
    done        BIGINT NOT NULL DEFAULT 0,
    external_id TEXT NOT NULL DEFAULT '',
    intended_at TIMESTAMPTZ,
    attempts    INT NOT NULL DEFAULT 0,
    next_try    TIMESTAMPTZ,
    claim       TEXT NOT NULL DEFAULT '',
    lease_until TIMESTAMPTZ,
    last_error  TEXT NOT NULL DEFAULT '',
    state       TEXT NOT NULL DEFAULT 'open',
    CONSTRAINT deliveries_pkey PRIMARY KEY (id),
    CONSTRAINT deliveries_key_unique UNIQUE (number, kind, key),
    CONSTRAINT deliveries_mode_known CHECK (mode IN ('converge', 'once')),
    CONSTRAINT deliveries_state_known CHECK (state IN ('open', 'done', 'cancelled', 'parked', 'removed'))
);
COMMENT ON TABLE deliveries IS 'What other systems are to hold a copy of.';
COMMENT ON COLUMN deliveries.number IS 'The change; 0 for what belongs to none.';
COMMENT ON COLUMN deliveries.key IS 'Tells apart several of one kind, such as by recipient.';
COMMENT ON COLUMN deliveries.mode IS 'converge: the copy is kept current. once: it is sent once.';
COMMENT ON COLUMN deliveries.recipient IS 'The person it goes to; empty where it goes to no person.';
COMMENT ON COLUMN deliveries.ref IS 'What of the change it is about, as JSON.';
COMMENT ON COLUMN deliveries.wanted IS 'The version of the change that the copy is to agree with; 1 for what is sent once.';
COMMENT ON COLUMN deliveries.done IS 'The version that the copy agrees with; 0: none was made.';
COMMENT ON COLUMN deliveries.external_id IS 'What the other system calls the copy; empty: not known, or none.';
COMMENT ON COLUMN deliveries.intended_at IS 'When a call that makes something was first about to be sent: from then on it may exist.';
COMMENT ON COLUMN deliveries.next_try IS 'When it is due; null when nothing is to be done.';
COMMENT ON COLUMN deliveries.attempts IS 'Failed tries in a row; the pauses grow with them.';
COMMENT ON COLUMN deliveries.claim IS 'A random mark of whoever works on it; empty: nobody. Only its holder may save.';
COMMENT ON COLUMN deliveries.lease_until IS 'Until when the claim holds; then anybody may take it over.';
COMMENT ON COLUMN deliveries.last_error IS 'What the last try failed with, as people may see it; empty: nothing.';
COMMENT ON COLUMN deliveries.state IS 'cancelled: it is no longer right. parked: it has nowhere to go.';
CREATE INDEX deliveries_next_try_idx ON deliveries (system, next_try) WHERE next_try IS NOT NULL;
CREATE INDEX deliveries_external_idx ON deliveries (external_id) WHERE external_id <> '';

CREATE TABLE seen (
    source TEXT NOT NULL,
    id     TEXT NOT NULL,
    number BIGINT NOT NULL,
    at     TIMESTAMPTZ NOT NULL,
    CONSTRAINT seen_pkey PRIMARY KEY (source, id)
);
COMMENT ON TABLE seen IS 'What Slack has sent before, by view id, event id or trigger id, and the change it made.';
COMMENT ON COLUMN seen.source IS 'What kind of id it is.';
COMMENT ON COLUMN seen.number IS 'The change it made; 0: none.';
CREATE INDEX seen_at_idx ON seen (at);

-- +goose Down
DROP TABLE seen, deliveries, grants, assignments, obligations, event_texts, events, chains, changes, numbers, phase_moves, phases;
DROP FUNCTION changes_guard;
DROP FUNCTION events_guard;
