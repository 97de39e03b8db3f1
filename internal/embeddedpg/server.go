package embeddedpg

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// superuser owns the cluster, and is who URL connects as.
const superuser = "postgres"

// startTimeout bounds the time until a started server takes connections. After
// a crash it first reads its log again.
const startTimeout = 60 * time.Second

// Server is a running Postgres.
type Server struct {
	folder  folder
	log     *os.File
	guarded *guarded
	major   int
	once    chan struct{} // holds one token: Stop stops once
}

// Start finds a Postgres, prepares its data, starts it, and returns when it
// takes connections. The context bounds the start only; call Stop at the end.
func Start(ctx context.Context, options Options) (*Server, error) {
	o, err := options.withDefaults()
	if err != nil {
		return nil, err
	}
	run, err := o.system.runAs()
	if err != nil {
		return nil, err
	}
	bin, err := o.findBinaries(ctx, run)
	if err != nil {
		return nil, err
	}
	f, err := o.openFolder(ctx, run)
	if err != nil {
		return nil, err
	}
	s, err := o.startIn(ctx, f, bin, run)
	if err != nil {
		return nil, errors.Join(err, f.remove(), f.close())
	}
	return s, nil
}

func (o Options) startIn(ctx context.Context, f folder, bin binaries, run account) (*Server, error) {
	if err := stopLeftover(ctx, f.data()); err != nil {
		return nil, err
	}
	log, err := os.OpenFile(filepath.Join(f.path, logName), os.O_CREATE|os.O_TRUNC|os.O_WRONLY|os.O_APPEND|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFolder, err)
	}
	s := &Server{folder: f, log: log, major: bin.major, once: make(chan struct{}, 1)}
	s.once <- struct{}{}
	if err := o.prepareData(ctx, f, bin, run, log); err != nil {
		return nil, errors.Join(err, log.Close())
	}
	s.guarded, err = startGuarded(run, f, log, stopIt, filepath.Join(bin.dir, "postgres"), o.arguments(f)...)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%w: %w", ErrNotStarted, err), log.Close())
	}
	if err := s.awaitReady(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("%w: %w%s", ErrNotStarted, err, tail(log.Name())), s.guarded.stop(), log.Close())
	}
	return s, nil
}

// arguments are the server's. Of two equal settings the later counts.
func (o Options) arguments(f folder) []string {
	args := []string{"-D", f.data()}
	set := func(name, value string) { args = append(args, "-c", name+"="+value) }
	if !o.Durable {
		for _, name := range []string{"fsync", "synchronous_commit", "full_page_writes", "autovacuum"} {
			set(name, "off")
		}
	}
	names := make([]string, 0, len(o.Settings))
	for name := range o.Settings {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		set(name, o.Settings[name])
	}
	set("listen_addresses", "")
	set("port", "5432")
	set("unix_socket_directories", `"`+f.path+`"`)
	return args
}

// awaitReady connects until it succeeds, the server ends, or it takes too long.
func (s *Server) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		err := s.do(ctx, func(*pgx.Conn) error { return nil })
		if err == nil {
			return nil
		}
		select {
		case <-s.guarded.done:
			return errors.Join(errors.New("it ended at once"), s.guarded.err)
		case <-ctx.Done():
			return fmt.Errorf("it took no connection in time: %w", err)
		case <-tick.C:
		}
	}
}

// do runs something on a connection of its own to the database postgres.
func (s *Server) do(ctx context.Context, work func(*pgx.Conn) error) error {
	conn, err := pgx.Connect(ctx, s.URL("postgres"))
	if err != nil {
		return fmt.Errorf("connecting to the embedded Postgres: %w", err)
	}
	return errors.Join(work(conn), conn.Close(ctx))
}

// URL is the address of a database on the server, for pgx. The server is new
// with the database postgres only.
func (s *Server) URL(database string) string {
	query := url.Values{"host": {s.folder.path}, "port": {"5432"}, "user": {superuser}, "sslmode": {"disable"}}
	// pgx takes a plus for a plus, not for a space.
	raw := strings.ReplaceAll(query.Encode(), "+", "%20")
	return (&url.URL{Scheme: "postgres", Path: "/" + database, RawQuery: raw}).String()
}

// Major is the server's version, 15 for 15.18.
func (s *Server) Major() int { return s.major }

// Dir is the folder with the data, the socket and the log.
func (s *Server) Dir() string { return s.folder.path }

// Done is closed when the server has ended, by Stop or by itself.
func (s *Server) Done() <-chan struct{} { return s.guarded.done }

// CreateDatabase makes a database unless it is there.
func (s *Server) CreateDatabase(ctx context.Context, name string) error {
	return s.do(ctx, func(conn *pgx.Conn) error {
		var found bool
		if err := conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", name).Scan(&found); err != nil {
			return fmt.Errorf("looking for the database %s: %w", name, err)
		}
		if found {
			return nil
		}
		if _, err := conn.Exec(ctx, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize()); err != nil {
			return fmt.Errorf("creating the database %s: %w", name, err)
		}
		return nil
	})
}

// Stop breaks off the sessions, stops the server, and removes a throw-away
// folder. It returns when the server is gone; a second call does nothing.
func (s *Server) Stop() error {
	select {
	case <-s.once:
	default:
		<-s.guarded.done
		return nil
	}
	return errors.Join(s.guarded.stop(), s.log.Close(), s.folder.remove(), s.folder.close())
}

// tail is the end of the server's log, as an explanation behind an error.
func tail(path string) string {
	const most = 2 << 10
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW, 0) //nolint:gosec // a file of a folder of ours
	if err != nil {
		return ""
	}
	defer f.Close() //nolint:errcheck // only read
	if info, err := f.Stat(); err == nil && info.Size() > most {
		if _, err := f.Seek(-most, io.SeekEnd); err != nil {
			return ""
		}
	}
	text, err := io.ReadAll(io.LimitReader(f, most))
	if err != nil || len(text) == 0 {
		return ""
	}
	return "; its log ends with:\n" + strings.TrimSpace(string(text))
}
