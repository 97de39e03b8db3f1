// Package pgtest gives each test a database of its own, on a real Postgres, in
// some milliseconds. It imports embeddedpg and pgx only.
//
// A package that wants databases says once, in one of its test files:
//
//	var databases = pgtest.New(migrate)
//
//	func TestMain(m *testing.M) { os.Exit(databases.Run(m)) }
//
// and each test then asks for one:
//
//	pool := databases.Pool(t)
//
// The first to ask starts the server and has one database migrated; every test
// gets a copy of that. A package whose tests are filtered away starts nothing.
// The server is a throw-away of this test binary and goes with it, however it
// ends. With DATABASE_URL set, that server is used instead, as a user who may
// create databases: they have a random part in their names and are dropped at
// the end, unless the test binary is killed.
package pgtest
