package main

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/deploy"
	"github.com/breakglass-bot/breakglass/internal/config"
	"github.com/breakglass-bot/breakglass/internal/sandbox"
	"github.com/breakglass-bot/breakglass/internal/sandbox/fault"
)

func TestTheStartSaysWhatDoesNotFitTheConfiguration(t *testing.T) {
	for name, value := range map[string]string{"AWS_ACCESS_KEY_ID": "sandbox", "AWS_SECRET_ACCESS_KEY": "sandbox", "AWS_EC2_METADATA_DISABLED": "true"} {
		t.Setenv(name, value) // the SDK's chain of credentials reads them itself
	}
	const aws, key, unasked = "AWS is not as the configuration says", "incident.io refuses the API key", "could not be asked at the start"
	for name, c := range map[string]struct {
		alter func(*config.Config, *sandbox.World)
		says  []string // nothing: the log stays empty
	}{
		"all fits":                {func(*config.Config, *sandbox.World) {}, nil},
		"neither AWS nor the key": {func(c *config.Config, _ *sandbox.World) { c.AWS, c.IncidentIO = nil, nil }, nil},
		"another region":          {func(c *config.Config, _ *sandbox.World) { c.AWS.Region = "us-east-1" }, []string{aws, "aws.region", "in us-east-1"}},
		"another identity store": {
			func(c *config.Config, _ *sandbox.World) { c.AWS.IdentityStoreID = "d-9999999999" },
			[]string{aws, "aws.identity_store_id", "d-9999999999"},
		},
		"a role without rights": {func(_ *config.Config, w *sandbox.World) {
			w.AWS.Faults.Add(fault.Fault{Kind: fault.Answer, Status: 400, Body: `{"__type":"AccessDeniedException","message":"no"}`})
		}, []string{aws, "deploy/iam-policy.json", "AWS does not allow breakglass to do this"}},
		"AWS is down": {func(_ *config.Config, w *sandbox.World) { w.AWS.Faults.Add(fault.Fault{Kind: fault.Refused}) }, []string{unasked, "AWS"}},
		"a key that is refused": {
			func(c *config.Config, _ *sandbox.World) { c.Secrets.IncidentIOAPIKey = "another" },
			[]string{key, "INCIDENT_IO_API_KEY"},
		},
		"a key without a role": {
			func(_ *config.Config, w *sandbox.World) { w.IncidentIO.SetRoles("viewer", "incident_creator") },
			[]string{"the API key of incident.io lacks roles", "incident_editor"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			world, err := sandbox.Start(t.Context(), sandbox.Options{Now: time.Now})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := world.Close(); err != nil {
					t.Error(err)
				}
			})
			environment := map[string]string{"DATABASE_URL": "postgres://nobody@127.0.0.1:1/none"}
			for _, v := range world.Env() {
				name, value, _ := strings.Cut(v, "=")
				environment[name] = value
			}
			cfg, err := config.Load("breakglass.yaml", func(name string) (string, bool) {
				value, found := environment[name]
				return value, found
			}, func(string) ([]byte, error) { return world.Config(deploy.Example, "127.0.0.1:0"), nil })
			if err != nil {
				t.Fatal(err)
			}
			c.alter(cfg, world)
			var log strings.Builder
			p := &program{cfg: cfg, now: time.Now, log: slog.New(slog.NewTextHandler(&log, nil))}
			if p.systems, err = newSystems(t.Context(), cfg, time.Now); err != nil {
				t.Fatal(err)
			}
			p.checkSystems(t.Context())
			for _, said := range c.says {
				if !strings.Contains(log.String(), said) {
					t.Errorf("it does not say %q, but:\n%s", said, log.String())
				}
			}
			if len(c.says) == 0 && log.Len() > 0 {
				t.Errorf("it says:\n%s", log.String())
			}
		})
	}
}
