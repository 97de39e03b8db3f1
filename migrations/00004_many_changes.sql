-- Beside: 1
-- +goose Up

-- What is looked for by people, or again and again, is found by an index, however
-- many changes are over. docs/speed.md has the figures.

-- The home tab: whoever makes a change that somebody else asked for.
CREATE INDEX changes_implementer_idx ON changes (implementer, number) WHERE implementer <> requester;
-- Reports, exports and digests: the changes of a period.
CREATE INDEX changes_requested_at_idx ON changes (requested_at, number);
-- The last change that had an access, for the census and for access that came back.
CREATE INDEX grants_last_idx ON grants (assignment_id, number);
-- What is in flight in AWS: it is counted before anything more is sent.
CREATE INDEX assignments_in_flight_idx ON assignments (sent_at) WHERE operation <> '';

-- +goose Down
DROP INDEX changes_implementer_idx, changes_requested_at_idx, grants_last_idx, assignments_in_flight_idx;
