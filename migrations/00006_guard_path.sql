-- Beside: 1
-- +goose Up

-- Where nothing says otherwise, a session's temporary tables come before all
-- others: a role that may make one could have put its own phase_moves before ours,
-- and moved a change as it liked. The other guards name no table.
-- +goose StatementBegin
DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION %1$I.changes_guard() SET search_path = %1$I, pg_temp', current_schema());
END $$;
-- +goose StatementEnd

-- +goose Down
ALTER FUNCTION changes_guard() RESET search_path;
