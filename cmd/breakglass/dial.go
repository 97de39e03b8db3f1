package main

import (
	"context"
	"net"
	"time"
)

// How the system finds out that the host of the database has vanished without a word,
// as in a failover: what it has not acknowledged for unheard is given up (Linux only),
// and a connection on which nothing happens is asked whether it is still there.
const (
	unheard       = 20 * time.Second
	keepAliveIdle = 10 * time.Second
	keepAliveStep = 5 * time.Second
	keepAlives    = 2
)

// answerWithin is how long breakglass waits for the answer to a statement. The database
// breaks one off after statementTimeout.
const (
	statementTimeout = "30000" // in milliseconds
	answerWithin     = 45 * time.Second
)

// dialDatabase opens a connection to the database.
func dialDatabase(ctx context.Context, network, address string) (net.Conn, error) {
	d := net.Dialer{
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: keepAliveIdle, Interval: keepAliveStep, Count: keepAlives},
		Control:         giveUpUnheard,
	}
	return d.DialContext(ctx, network, address)
}
