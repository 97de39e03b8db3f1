package main

import (
	"testing"

	"github.com/breakglass-bot/breakglass/internal/config"
)

func TestTheDatabasesAddressMayLimitTheConnections(t *testing.T) {
	t.Parallel()
	for url, want := range map[config.Secret]int32{
		"postgres://b@db/b":                   poolConnections,
		"postgres://b@db/b?pool_max_conns=5":  5,
		"postgres://b@db/b?pool_max_conns=40": 40,
	} {
		c, err := poolConfig(url)
		if err != nil {
			t.Fatal(err)
		}
		if c.MaxConns != want {
			t.Errorf("%s gives %d connections; want %d", url.Reveal(), c.MaxConns, want)
		}
	}
}
