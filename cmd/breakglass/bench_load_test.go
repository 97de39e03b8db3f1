//go:build bench

package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// load sends payloads as Slack does.
type load struct {
	to     string
	secret []byte
	client *http.Client
}

func newLoad(to, secret string) *load {
	return &load{to: to, secret: []byte(secret), client: &http.Client{
		Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConns: 512, MaxIdleConnsPerHost: 512},
	}}
}

// post delivers an interaction, and demands its acknowledgement.
func (l *load) post(ctx context.Context, payload string) error {
	return l.send(ctx, url.Values{"payload": {payload}}.Encode())
}

func (l *load) send(ctx context.Context, body string) error {
	stamp := strconv.FormatInt(time.Now().Unix(), 10)
	mac := hmac.New(sha256.New, l.secret)
	mac.Write([]byte("v0:" + stamp + ":" + body))
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, l.to, strings.NewReader(body))
	if err != nil {
		return err
	}
	r.Header = http.Header{
		"Content-Type": {"application/x-www-form-urlencoded"}, "X-Slack-Request-Timestamp": {stamp}, "X-Slack-Signature": {"v0=" + hex.EncodeToString(mac.Sum(nil))},
	}
	response, err := l.client.Do(r)
	if err != nil {
		return err
	}
	answer, err := io.ReadAll(response.Body)
	if err := errors.Join(err, response.Body.Close()); err != nil {
		return err
	}
	if response.StatusCode == http.StatusServiceUnavailable {
		return errBusy
	}
	if response.StatusCode != http.StatusOK || len(answer) > 0 {
		return fmt.Errorf("answered %d %.200s", response.StatusCode, answer)
	}
	return nil
}

// closed sends bodies from so many clients, each the next as soon as its last is
// acknowledged.
func (l *load) closed(ctx context.Context, clients int, bodies []string) (took time.Duration, err error) {
	var next atomic.Int64
	var all sync.WaitGroup
	failed := make(chan error, clients)
	began := time.Now()
	for range clients {
		all.Go(func() {
			for i := next.Add(1) - 1; int(i) < len(bodies); i = next.Add(1) - 1 {
				if err := l.send(ctx, bodies[i]); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	all.Wait()
	took = time.Since(began)
	select {
	case err = <-failed:
	default:
	}
	return took, err
}

// errBusy says that a click was turned down: too many were in hand.
var errBusy = errors.New("answered 503")

// patienceOfSlack is how long Slack waits for an answer.
const patienceOfSlack = 3 * time.Second

// open sends bodies at a fixed rate, whatever becomes of them, and answers how
// long after its scheduled time each was acknowledged. One that is turned down counts
// as one that Slack has given up.
func (l *load) open(ctx context.Context, perSecond int, bodies []string) ([]time.Duration, error) {
	took := make([]time.Duration, len(bodies))
	errs := make([]error, len(bodies))
	var all sync.WaitGroup
	began := time.Now().Add(10 * time.Millisecond)
	for i, body := range bodies {
		due := began.Add(time.Duration(i) * time.Second / time.Duration(perSecond))
		<-time.After(time.Until(due))
		all.Go(func() {
			errs[i] = l.send(ctx, body)
			took[i] = time.Since(due)
			if errors.Is(errs[i], errBusy) {
				errs[i], took[i] = nil, patienceOfSlack
			}
		})
	}
	all.Wait()
	return took, errors.Join(errs...)
}

// quantile is the smallest of the values that so large a part of all does not exceed.
func quantile(all []time.Duration, part float64) time.Duration {
	if len(all) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(all))
	return sorted[min(len(sorted)-1, int(part*float64(len(sorted))))]
}

func median[T interface{ ~int64 | ~float64 }](all []T) T {
	if len(all) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)/2]
}

// ticksPerSecond is the unit of the processor's time in /proc, on every Linux.
const ticksPerSecond = 100

// processor is the processor time that a process has used; errors where there is
// no /proc.
func processor(pid int) (time.Duration, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	_, after, _ := strings.Cut(string(raw), ") ")
	fields := strings.Fields(after)
	if len(fields) < 13 {
		return 0, fmt.Errorf("/proc/%d/stat is %q", pid, raw)
	}
	user, errU := strconv.ParseInt(fields[11], 10, 64)
	system, errS := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(user+system) * time.Second / ticksPerSecond, errors.Join(errU, errS)
}

// resident is a line of a process's memory, such as VmRSS or VmHWM, in MiB.
func resident(pid int, line string) (float64, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for l := range strings.Lines(string(raw)) {
		if rest, found := strings.CutPrefix(l, line+":"); found {
			kib, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kib / 1024, err
		}
	}
	return 0, fmt.Errorf("/proc/%d/status has no %s", pid, line)
}
