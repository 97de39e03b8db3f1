package config

import (
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// link reads a URL that people are sent to; it may have a query.
func (b *builder) link(t text) string {
	if t.given {
		b.checkURL(t)
	}
	return t.value
}

// base reads the URL that a system's calls begin with, without a slash at its end.
func (b *builder) base(t text, fallback string) string {
	if !t.given {
		return fallback
	}
	if u := b.checkURL(t); u != nil && (u.RawQuery != "" || u.ForceQuery || u.Fragment != "") {
		b.problem(t.spot, "%s must end with its path: take `?` and `#` and what follows them away", t.whole())
	}
	return strings.TrimRight(t.value, "/")
}

// checkURL reports what is wrong with a URL, never repeating it when it may
// hold a password; nil when it cannot be used.
func (b *builder) checkURL(t text) *url.URL {
	u, err := url.Parse(t.value)
	switch {
	case err != nil || u.Opaque != "" || u.Hostname() == "" || strings.ContainsAny(t.value, " \\"):
		b.problem(t.spot, "%s is not a URL; it must look like https://host/path", t.whole())
	case u.User != nil:
		b.problem(t.spot, "%s must not hold a user or a password; secrets come from the environment", t.whole())
	case !validPort(u.Port(), 1):
		b.problem(t.spot, "%s has a port that is none; ports are 1 to 65535", t.whole())
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		b.problem(t.spot, "%s goes to %s over http; use https, as http is for loopback addresses only", t.whole(), quote(u.Host))
	case u.Scheme != "https" && u.Scheme != "http":
		b.problem(t.spot, "%s begins with %s; it must begin with https://", t.whole(), quote(u.Scheme+":"))
	default:
		return u
	}
	return nil
}

func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.IsLoopback()
}

// validPort accepts no port at all as well.
func validPort(port string, lowest int) bool {
	if port == "" {
		return true
	}
	n, err := strconv.Atoi(port)
	return err == nil && n >= lowest && n <= 65535
}

// listenAddress reads host:port; port 0 takes any free one.
func (b *builder) listenAddress(t text, fallback string) string {
	if !t.given {
		return fallback
	}
	host, port, err := net.SplitHostPort(t.value)
	_, notIP := netip.ParseAddr(host)
	switch {
	case err != nil || port == "" || strings.ContainsAny(host, " /") || (notIP != nil && strings.Contains(host, ":")):
		b.problem(t.spot, "%s is %s; it must be host:port, such as 127.0.0.1:8080 or :8080", t.whole(), quote(t.value))
	case !validPort(port, 0):
		b.problem(t.spot, "%s has the port %s; ports are 0 to 65535", t.whole(), quote(port))
	}
	return t.value
}

func (b *builder) http() {
	raw := b.file.HTTP
	b.out.HTTP = HTTP{
		Listen:        b.listenAddress(raw.Listen, "127.0.0.1:8080"),
		MetricsListen: b.listenAddress(raw.MetricsListen, "127.0.0.1:9090"),
	}
	if b.out.HTTP.Listen == b.out.HTTP.MetricsListen && !strings.HasSuffix(b.out.HTTP.Listen, ":0") {
		at := raw.MetricsListen.spot
		if at.line == 0 {
			at = raw.Listen.spot
		}
		b.problem(at, "`http.metrics_listen` is the address of `http.listen`, %s; give metrics one of their own, off the public listener", quote(b.out.HTTP.Listen))
	}
}
