package slack_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/breakglass-bot/breakglass/internal/sandbox/slack"
)

// An application answers a command at once; the person who typed it sees the
// answer, and nobody else does.
func Example() {
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "Nothing is *open*.")
	}))
	defer app.Close()

	ws := slack.New(slack.Options{
		Now:      func() time.Time { return time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC) },
		Users:    []slack.User{{ID: "U0ADA", RealName: "Ada"}},
		Channels: []slack.Channel{{ID: "C0PROD", Name: "production"}},
	})
	server := httptest.NewServer(ws)
	defer server.Close()
	ws.SetURL(server.URL)
	ws.SetAppURL(app.URL)

	stop := ws.Subscribe(func(e slack.Event) {
		fmt.Printf("%s, seen by %s: %s\n", e.Kind, e.User, ws.RenderMessage(e.User, e.Message))
	})
	defer stop()
	if _, err := ws.Person("U0ADA").Command(context.Background(), "C0PROD", "/emergency", "list"); err != nil {
		fmt.Println(err)
	}
	fmt.Println("violations:", len(ws.Violations()))
	// Output:
	// ephemeral posted, seen by U0ADA: Nothing is open.
	// violations: 0
}
