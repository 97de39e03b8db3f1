//go:build bench

package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/slack-go/slack"

	"github.com/breakglass-bot/breakglass/internal/config"
	"github.com/breakglass-bot/breakglass/internal/slackapp"
)

// clickSpec is what breakglass did for one click: the statements that it sent,
// with every value as text. The change's number stands in them as sampleNumber,
// and the message's time as sampleTS.
type clickSpec struct {
	Before []statement // outside any transaction, before who clicked is looked up
	Inside []statement // in the transaction
}

type statement struct {
	SQL  string
	Args []*string // nil: NULL
	Type []string  // of each, as Postgres calls it
}

// What stands in a recorded click for what is another in each.
const (
	sampleNumber = "7000001"
	sampleTS     = "1111111111.111111"
	sampleUser   = "93d4a8e2-0000-4000-9000-00000" + sampleNumber
	sampleClick  = "click." + sampleNumber

	sampleAssignment = "7000002" // the id that the statement which makes it returns
)

// bareAlone is what breakglass is measured against: a handler that verifies the
// signature, decodes the payload, makes the same look-up and the same transaction,
// one statement after the other, and answers 200. It decides nothing: every value
// that it writes was worked out before.
func bareAlone(file, specFile string) error {
	cfg, err := config.Load(file, os.LookupEnv, os.ReadFile)
	if err != nil {
		return err
	}
	raw, err := os.ReadFile(specFile)
	if err != nil {
		return err
	}
	var spec clickSpec
	if err := json.Unmarshal(raw, &spec); err != nil {
		return err
	}
	pool, err := openPool(context.Background(), cfg.Secrets.DatabaseURL) // as large as breakglass's
	if err != nil {
		return err
	}
	defer pool.Close()
	b := &bare{
		spec: spec, secret: []byte(cfg.Secrets.SlackSigningSecret.Reveal()), pool: pool,
		client: slackapp.NewClient(cfg.Slack.APIURL, cfg.Secrets.SlackBotToken.Reveal(), slackClient()),
	}
	return serveUntilClosed(b)
}

type bare struct {
	spec   clickSpec
	secret []byte
	client *slack.Client
	pool   *pgxpool.Pool
}

// ServeHTTP takes a click.
func (b *bare) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := b.click(r); err != nil {
		fmt.Fprintln(os.Stderr, "the bare handler:", err)
		http.Error(w, "no", http.StatusInternalServerError)
	}
}

func (b *bare) click(r *http.Request) error {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	stamp := r.Header.Get("X-Slack-Request-Timestamp")
	mac := hmac.New(sha256.New, b.secret)
	mac.Write([]byte("v0:" + stamp + ":"))
	mac.Write(body)
	if !hmac.Equal([]byte("v0="+hex.EncodeToString(mac.Sum(nil))), []byte(r.Header.Get("X-Slack-Signature"))) {
		return errors.New("not signed")
	}
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || time.Since(time.Unix(seconds, 0)).Abs() > 5*time.Minute {
		return errors.New("too old")
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return err
	}
	var payload slack.InteractionCallback
	if err := json.Unmarshal([]byte(form.Get("payload")), &payload); err != nil {
		return err
	}
	number, _, _ := strings.Cut(payload.ActionCallback.BlockActions[0].Value, "/")
	fill := []string{sampleNumber, number, sampleTS, payload.Container.MessageTs}
	ctx := r.Context()
	for _, s := range b.spec.Before {
		if err := s.send(ctx, b.pool, &fill); err != nil {
			return err
		}
	}
	user, err := b.client.GetUserInfoContext(ctx, payload.User.ID)
	if err != nil || user.Deleted || user.IsRestricted {
		return errors.Join(errors.New("not a member"), err)
	}
	return pgx.BeginFunc(ctx, b.pool, func(tx pgx.Tx) error {
		for _, s := range b.spec.Inside {
			if err := s.send(ctx, tx, &fill); err != nil {
				return err
			}
		}
		return nil
	})
}

// returnsAssignment tells whether a statement makes the assignment that others
// then refer to.
func (s statement) returnsAssignment() bool {
	return strings.HasPrefix(s.SQL, "INSERT INTO assignments") && strings.Contains(s.SQL, "RETURNING id")
}

// querier is a pool or a transaction.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// send sends a statement, and reads what is answered. fill are the samples and
// what stands for them in this click.
func (s statement) send(ctx context.Context, to querier, fill *[]string) error {
	replace := strings.NewReplacer(*fill...)
	args := make([]any, len(s.Args))
	for i, a := range s.Args {
		if a != nil {
			args[i] = replace.Replace(*a)
		}
	}
	rows, err := to.Query(ctx, s.SQL, args...)
	if err != nil {
		return err
	}
	for rows.Next() {
		if !s.returnsAssignment() {
			rows.RawValues()
			continue
		}
		var id int64
		if err := rows.Scan(&id); err != nil {
			return err
		}
		*fill = append(*fill, sampleAssignment, strconv.FormatInt(id, 10))
	}
	rows.Close()
	if err := rows.Err(); err != nil {
		return fmt.Errorf("%.60s: %w", s.SQL, err)
	}
	return nil
}
