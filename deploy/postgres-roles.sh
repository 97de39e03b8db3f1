#!/bin/sh
# Run once by the image of Postgres, when its volume is empty: an owner of the
# database, who migrates it, and the role that breakglass runs as, which cannot alter
# the trail. Neither is a superuser. docs/running.md has the same by hand.
set -eu
psql -v ON_ERROR_STOP=1 --no-psqlrc --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
\set owner_password `cat "$BREAKGLASS_OWNER_PASSWORD_FILE"`
\set app_password `cat "$BREAKGLASS_APP_PASSWORD_FILE"`
CREATE ROLE breakglass_owner LOGIN PASSWORD :'owner_password';
CREATE ROLE breakglass_app LOGIN PASSWORD :'app_password';
SELECT format('ALTER DATABASE %I OWNER TO breakglass_owner', current_database()) \gexec
SELECT format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database()) \gexec
SQL
