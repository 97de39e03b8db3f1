package embeddedpg

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
)

// maxArchive bounds a download in bytes; the archives have about 12 MB.
const maxArchive = 200 << 20

// fetchVerified downloads source to path and compares it with the SHA-256 that
// is published beside it.
func (o Options) fetchVerified(ctx context.Context, source, path string) error {
	shown, err := withoutSecrets(source)
	if err != nil {
		return err
	}
	var published strings.Builder
	if _, err := o.fetch(ctx, source+".sha256", &published, 1<<10); err != nil {
		return fmt.Errorf("%w: its checksum at %s.sha256: %w", ErrNoDownload, shown, err)
	}
	// Some tools write the file's name behind the sum.
	want, _, _ := strings.Cut(strings.TrimSpace(published.String()), " ")
	if sum, err := hex.DecodeString(want); err != nil || len(sum) != sha256.Size {
		return fmt.Errorf("%w: %s.sha256 holds no checksum but %.40q", ErrNoDownload, shown, want)
	}

	o.Log.Info("no Postgres is installed; downloading one", "from", shown)
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) //nolint:gosec // a file of our cache
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNoDownload, err)
	}
	hash := sha256.New()
	size, err := o.fetch(ctx, source, io.MultiWriter(file, hash), maxArchive)
	if err = errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrNoDownload, shown, err)
	}
	if got := hex.EncodeToString(hash.Sum(nil)); !strings.EqualFold(got, want) {
		return fmt.Errorf("%w: the %d bytes from %s have the SHA-256 %s, and %s is published; try again, or choose another mirror", ErrChecksum, size, shown, got, want)
	}
	return nil
}

// fetch copies what an address answers, at most limit bytes.
func (o Options) fetch(ctx context.Context, address string, to io.Writer, limit int64) (int64, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return 0, errors.New("the address cannot be understood") // the error would show its password
	}
	resp, err := o.system.client.Do(req)
	if err != nil {
		var u *url.Error // names the address again, secrets included
		if errors.As(err, &u) {
			err = u.Err
		}
		return 0, fmt.Errorf("the mirror cannot be reached: %w", err)
	}
	defer resp.Body.Close() //nolint:errcheck // the body has been read
	if resp.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("the mirror answered %s", resp.Status)
	}
	n, err := io.Copy(to, io.LimitReader(resp.Body, limit+1))
	if err != nil {
		return n, fmt.Errorf("it broke off after %d bytes: %w", n, err)
	}
	if n > limit {
		return n, fmt.Errorf("it is longer than %d bytes", limit)
	}
	return n, nil
}

// withoutSecrets is an address as people may see it.
func withoutSecrets(address string) (string, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
		return "", fmt.Errorf("%w: the mirror must be an address that begins with https:// or http://", ErrNoDownload)
	}
	u.User, u.RawQuery = nil, ""
	return u.String(), nil
}
