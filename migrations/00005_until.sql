-- Beside: 1
-- +goose Up

ALTER TABLE grants ADD COLUMN until TIMESTAMPTZ;
COMMENT ON COLUMN grants.until IS 'When the access ends by itself, also where the change has not been told so yet; null: not known.';

-- +goose Down
ALTER TABLE grants DROP COLUMN until;
