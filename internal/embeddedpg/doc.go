// Package embeddedpg runs a private Postgres for the demo and for tests: it
// finds the machine's own binaries, or downloads some, and starts a server
// that nobody else can reach and that does not outlive the program. It imports
// nothing else of this module. Whoever has a DATABASE_URL does not need it.
//
//	server, err := embeddedpg.Start(ctx, embeddedpg.Options{})
//	…
//	defer server.Stop()
//	pool, err := pgxpool.New(ctx, server.URL("postgres"))
//
// # Which binaries
//
// Options.BinDir if set. Else the first of these that holds Postgres 15 or
// newer, and failing that the first with 14: the PATH, what pg_config names,
// and the folders of Debian, Fedora and Homebrew, newest first. Else an archive
// is downloaded from Maven Central, or from Options.Mirror, compared with the
// SHA-256 that is published beside it, and kept in Options.CacheDir. That
// comparison finds a damaged archive; it does not find a mirror that lies.
//
// # Where, and as whom
//
// Postgres refuses to run as root, so under root it runs as the user postgres,
// else as nobody. All files are in one folder that only that user can enter,
// and the only way in is a unix socket there: no port can clash or be reached.
// Without Options.Dir the folder is a throw-away: in /dev/shm when it has 2 GB
// free, else in /var/tmp or /tmp. The longest path that can hold a socket is
// short, so a folder deep in the tree is refused.
//
// # How it ends
//
// Stop stops it. A program that is killed cannot call Stop, so the server is
// the child of a small shell that reads from a pipe of which only the program
// holds the other end; when that closes, the shell stops the server and removes
// a throw-away folder; it holds the folder's lock until then. If even the shell was killed, the next Start finds the
// folder's lock free, stops the server in it and removes or takes over the
// folder.
//
// Every way in which a start can fail on a user's machine is an exported error
// here, and its text is a sentence that says what can be done.
package embeddedpg
