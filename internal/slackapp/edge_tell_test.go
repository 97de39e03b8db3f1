package slackapp_test

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	slackgo "github.com/slack-go/slack"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/sandbox/fault"
	"github.com/breakglass-bot/breakglass/internal/sandbox/slack"
	"github.com/breakglass-bot/breakglass/internal/slackapp"
)

// logged is what the application has logged.
type logged struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.Write(p)
}
func (l *logged) String() string { l.mu.Lock(); defer l.mu.Unlock(); return l.all.String() }

func (l *logged) option() edgeOption {
	return func(_ *slack.Options, a *slackapp.App) { a.Log = slog.New(slog.NewTextHandler(l, nil)) }
}

// inThread posts a message with buttons, and it once more as a reply in its thread.
func (e *edge) inThread(n change.Number, buttons ...string) (root, reply slack.Message) {
	e.t.Helper()
	root = e.posted(n, change.DeliverAsk, "1/root", "", `{"ask":1}`, buttons...)
	var elements []slackgo.BlockElement
	for _, b := range buttons {
		id, value, _ := strings.Cut(b, " ")
		elements = append(elements, slackgo.NewButtonBlockElement(id, value, slackgo.NewTextBlockObject(slackgo.PlainTextType, id, false, false)))
	}
	at, ts, err := e.app.Slack.PostMessageContext(e.t.Context(), channel, slackgo.MsgOptionText(n.String(), false),
		slackgo.MsgOptionTS(root.TS), slackgo.MsgOptionBlocks(slackgo.NewActionBlock("", elements...)))
	must(e.t, err)
	_, err = e.pool.Exec(e.t.Context(), `INSERT INTO deliveries (number, kind, key, system, mode, recipient, ref, wanted, external_id)
		VALUES ($1, $2, '1/group', 'Slack', 'converge', '', '{"ask":1}', 1, $3)`, int64(n), string(change.DeliverAsk), at+":"+ts)
	must(e.t, err)
	for _, m := range e.ws.Thread(channel, root.TS) {
		if m.TS == ts {
			return root, m
		}
	}
	e.t.Fatal("the reply is not there")
	return root, reply
}

// A response address answers in the channel, where nobody looks who reads a thread.
func TestAnAnswerStandsWhereTheClickWas(t *testing.T) {
	t.Parallel()
	e := setup(t)
	n := e.request(ada).Number
	root, reply := e.inThread(n, "approve "+value(n, 1))
	for name, c := range map[string]struct {
		clicked slack.Message
		spoiled string
		thread  string
	}{
		"in the thread": {clicked: reply, thread: root.TS},
		"in the thread, and Slack is silent once": {clicked: reply, spoiled: "chat.postEphemeral"},
		"on the thread's first message":           {clicked: root},
		"there, and Slack is silent once":         {clicked: root, spoiled: "response_url"},
	} {
		e.ws.Faults.Clear()
		if c.spoiled != "" {
			e.ws.Faults.Add(fault.Fault{Kind: fault.Refused, Call: c.spoiled, Times: 1})
		}
		before := len(e.ws.Ephemerals(ben))
		must(t, e.ws.Person(ben).Click(t.Context(), c.clicked, "approve"))
		e.toldHolds(ben, "not among the approvers")
		told := e.ws.Ephemerals(ben)
		if last := told[len(told)-1]; len(told) != before+1 || last.ThreadTS != c.thread || last.Channel != channel {
			t.Errorf("%s: told %d times, last in %s in the thread %q; want once in the thread %q", name, len(told)-before, last.Channel, last.ThreadTS, c.thread)
		}
	}
}

// half is a connection on which bodies break off.
type half struct{}

func (half) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err == nil {
		_ = answer.Body.Close()
		answer.Body = io.NopCloser(io.MultiReader(strings.NewReader("o"), iotest.ErrReader(io.ErrUnexpectedEOF)))
	}
	return answer, err
}

func TestWhyAnAnswerDidNotArriveIsLoggedWithoutItsAddress(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault fault.Kind
		over  http.RoundTripper
		why   string
	}{
		"no connection": {fault.Refused, http.DefaultTransport, "Slack did not answer: "},
		"half a body":   {"", half{}, "answer broke off: unexpected EOF"},
		"an error":      {fault.Internal, http.DefaultTransport, "Slack answered 500"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			log := &logged{}
			e := setup(t, log.option())
			e.app.HTTP = &http.Client{Transport: c.over}
			m := e.ask(e.request(ada).Number, cto)
			if c.fault != "" {
				e.ws.Faults.Add(fault.Fault{Kind: c.fault, Call: "response_url", Times: 1})
			}
			must(t, e.ws.Person(ben).Click(t.Context(), m, "approve"))
			e.app.Wait()
			if all := log.String(); !strings.Contains(all, c.why) || strings.Contains(all, "/response/") {
				t.Errorf("the log wants %q, and no address; it says\n%s", c.why, all)
			}
		})
	}
}
