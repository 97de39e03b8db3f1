package httpserver

import (
	"container/list"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
)

// crowd is the connections of one listener. There are never more than so many,
// and the bodies that they have sent together never hold more than so much.
// Where either is at its limit, whoever has kept us waiting longest is cut off:
// someone who sends slowly, or nothing, loses to someone who sends at once, so
// that slow clients cannot take every place.
type crowd struct {
	most   int   // connections
	bytes  int64 // of bodies, in all
	cutOff func()

	mu      sync.Mutex
	open    int
	held    int64
	waiting *list.List // of *guest, who waits longest first
}

func newCrowd(most int, bytes int64, cutOff func()) *crowd {
	return &crowd{most: most, bytes: bytes, cutOff: cutOff, waiting: list.New()}
}

// guest is one connection. It waits while we wait for it: for headers, for a
// body, or for its next request.
type guest struct {
	net.Conn
	crowd *crowd
	place *list.Element // nil while it is worked for, and once it is closed
	gone  bool
	held  int64 // bytes of the body that it is sending, or that is being handled
}

type guestKey struct{}

// withGuest puts a connection into the context of its requests.
func withGuest(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, guestKey{}, c)
}

// guestOf is the connection that a request came by, nil where it came by none
// of ours.
func guestOf(ctx context.Context) *guest {
	g, _ := ctx.Value(guestKey{}).(*guest)
	return g
}

// crowdedListener lets connections in as long as there is room, or room can be made.
type crowdedListener struct {
	net.Listener
	crowd *crowd
}

// Accept waits for the next connection that there is room for.
func (l crowdedListener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if g := l.crowd.enter(c); g != nil {
			return g, nil
		}
		_ = c.Close() // everybody is being worked for; who comes now has to come again
	}
}

func (c *crowd) enter(conn net.Conn) *guest {
	c.mu.Lock()
	var victim *guest
	if c.open >= c.most {
		if victim = c.longest(func(*guest) bool { return true }); victim == nil {
			c.mu.Unlock()
			c.cutOff()
			return nil
		}
		c.drop(victim)
	}
	g := &guest{Conn: conn, crowd: c}
	c.open++
	g.place = c.waiting.PushBack(g)
	c.mu.Unlock()
	c.end(victim)
	return g
}

// longest is who has kept us waiting longest, of those that fit.
func (c *crowd) longest(fits func(*guest) bool) *guest {
	for e := c.waiting.Front(); e != nil; e = e.Next() {
		if g, ok := e.Value.(*guest); ok && fits(g) {
			return g
		}
	}
	return nil
}

// drop takes a guest out of the count.
func (c *crowd) drop(g *guest) {
	if g.gone {
		return
	}
	g.gone = true
	c.open--
	c.held -= g.held
	g.held = 0
	if g.place != nil {
		c.waiting.Remove(g.place)
		g.place = nil
	}
}

// end closes the connection of somebody who was dropped, and tells of it.
func (c *crowd) end(victim *guest) {
	if victim == nil {
		return
	}
	_ = victim.Conn.Close() // there is nobody to tell
	c.cutOff()
}

// Close closes the connection and gives its place back.
func (g *guest) Close() error {
	g.crowd.mu.Lock()
	g.crowd.drop(g)
	g.crowd.mu.Unlock()
	return g.Conn.Close()
}

// CloseWrite lets net/http say a last word to a client that is still sending.
func (g *guest) CloseWrite() error {
	half, ok := g.Conn.(interface{ CloseWrite() error })
	if !ok {
		return nil
	}
	return half.CloseWrite()
}

// worked says that a request is whole and in hand: it is not cut off any more.
func (g *guest) worked() {
	if g == nil {
		return
	}
	g.crowd.mu.Lock()
	defer g.crowd.mu.Unlock()
	if g.place != nil {
		g.crowd.waiting.Remove(g.place)
		g.place = nil
	}
}

// waits says that it is the client's turn, from now.
func (g *guest) waits() {
	if g == nil {
		return
	}
	g.crowd.mu.Lock()
	defer g.crowd.mu.Unlock()
	if g.gone {
		return
	}
	if g.place != nil {
		g.crowd.waiting.Remove(g.place)
	}
	g.place = g.crowd.waiting.PushBack(g)
}

// errCrowded says that there is no room for more of a body.
var errCrowded = errors.New("too many bodies are in hand")

// holds counts more bytes of a body. Where there is no room for them, whoever
// has kept us waiting longest with some of a body is cut off, or, where
// all of those are being worked for, this request is given up.
func (g *guest) holds(n int) error {
	if g == nil {
		return nil
	}
	c := g.crowd
	c.mu.Lock()
	if g.gone {
		c.mu.Unlock()
		return errCrowded
	}
	g.held += int64(n)
	c.held += int64(n)
	var victims []*guest
	for c.held > c.bytes {
		victim := c.longest(func(other *guest) bool { return other != g && other.held > 0 })
		if victim == nil {
			break
		}
		c.drop(victim)
		victims = append(victims, victim)
	}
	full := c.held > c.bytes
	c.mu.Unlock()
	for _, victim := range victims {
		c.end(victim)
	}
	if full {
		return errCrowded
	}
	return nil
}

// letsGo gives the bytes of the body back.
func (g *guest) letsGo() {
	if g == nil {
		return
	}
	g.crowd.mu.Lock()
	defer g.crowd.mu.Unlock()
	g.crowd.held -= g.held
	g.held = 0
}

// body reads a request's body, of at most so many bytes, while counting it.
func (g *guest) body(w http.ResponseWriter, r *http.Request, most int64) ([]byte, error) {
	return io.ReadAll(counted{http.MaxBytesReader(w, r.Body, most), g})
}

type counted struct {
	io.Reader
	guest *guest
}

// Read reads, and counts what was read.
func (c counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	if n > 0 {
		if full := c.guest.holds(n); full != nil {
			return 0, full
		}
	}
	return n, err
}
