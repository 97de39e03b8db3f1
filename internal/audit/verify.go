package audit

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// Finding is something about an export that does not hold.
type Finding struct {
	File string // in which it was found
	Say  string // the whole of it in a sentence
}

// String gives the file and the sentence.
func (f Finding) String() string { return f.File + ": " + f.Say }

// Summary is what Verify has looked at.
type Summary struct {
	Changes, Events, Texts, Withheld, Erased, Exceptions, Seals int64

	Newest   change.Seal // the newest seal; zero where there is none
	Findings int64
}

// String says what was checked, and whether anything is wrong.
func (s Summary) String() string {
	found := "nothing is wrong"
	if s.Findings > 0 {
		found = count(s.Findings, "thing is wrong", "things are wrong")
	}
	return fmt.Sprintf("%d changes, %d events, %d texts (%d withheld, %d erased), %d exceptions, %d seals: %s.",
		s.Changes, s.Events, s.Texts, s.Withheld, s.Erased, s.Exceptions, s.Seals, found)
}

// Sealed says what the newest seal is, to be compared with the audit channel;
// empty where there is none.
func (s Summary) Sealed() string {
	if s.Newest.Number == 0 {
		return ""
	}
	return fmt.Sprintf("The newest seal is number %d of %s: %s. The audit channel has to say the same.", s.Newest.Number, s.Newest.Day, s.Newest.Hash)
}

// ErrNoExport says that a folder is no export of ours, or of a newer version.
var ErrNoExport = errors.New("this folder is no export that this version of breakglass can verify")

// Verify checks an export alone, and tells report of what does not hold. Of each
// chain the first thing is told. An error means that it could not be read.
func Verify(ctx context.Context, folder string, report func(Finding)) (Summary, error) {
	v := &verifier{folder: folder, report: report, sealed: map[int64][]sealedHead{}, outside: map[int64]bool{}, inside: map[int64]bool{}, broken: map[string]bool{}, sealHash: map[int64]string{}}
	content, err := os.ReadFile(filepath.Join(folder, fileAbout)) //nolint:gosec // the caller names the folder
	if err != nil {
		return v.sum, errors.Join(ErrNoExport, fmt.Errorf("read what it is of: %w", err))
	}
	if err := json.Unmarshal(content, &v.about); err != nil || v.about.Format != format {
		return v.sum, ErrNoExport
	}
	for _, step := range []func() error{v.sums, v.names, v.seals, v.neighbours, v.changes, v.population, v.told, v.figures} {
		if err := errors.Join(step(), ctx.Err()); err != nil {
			return v.sum, err
		}
	}
	return v.sum, nil
}

// sealedHead is a head of a chain as a seal holds it.
type sealedHead struct {
	seal, seq int64
	hash      string
}

type verifier struct {
	folder string
	report func(Finding)
	sum    Summary
	about  about

	sealed  map[int64][]sealedHead // by chain, oldest first
	outside map[int64]bool         // changes that are neighbours
	inside  map[int64]bool         // changes of the period
	highest int64                  // the highest number that a seal holds
	holder  int64                  // and the first seal that holds it

	before, after *eventLine // neighbours in the system chain
	firstSystem   *eventLine
	lastSystem    *eventLine

	sealHash   map[int64]string // by number, as far as the seals hold
	sealBroken bool             // they do not hold to the end
	posted     []postedSeal     // what the system chain says of them
	newestAt   time.Time        // of all events and seals
	newest     string           // which of them that is, and where it stands
	newestFile string

	broken     map[string]bool // chains of which not every event is known to hold, as the tables name them
	exceptions []string        // that there should be
}

func (v *verifier) find(file, format string, args ...any) {
	v.sum.Findings++
	v.report(Finding{File: file, Say: fmt.Sprintf(format, args...)})
}

// names checks that the export looks for every exception: a name that is left out
// would hide all of its kind.
func (v *verifier) names() error {
	all := exceptionNames()
	for _, name := range all {
		if !slices.Contains(v.about.Names, name) {
			v.find(fileAbout, "its names lack “%s”", name)
		}
	}
	for _, name := range v.about.Names {
		if !slices.Contains(all, name) {
			v.find(fileAbout, "its names hold “%s”, which is no exception of this format", name)
		}
	}
	return nil
}

// sums compares every file with its sum.
func (v *verifier) sums() error {
	content, err := os.ReadFile(filepath.Join(v.folder, fileSums))
	if err != nil {
		v.find(fileSums, "it is missing")
		return nil //nolint:nilerr // it has been told
	}
	stated := map[string]string{}
	for line := range strings.Lines(string(content)) {
		sum, name, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "  ")
		stated[name] = sum
	}
	for _, name := range files() {
		file, err := os.Open(filepath.Join(v.folder, name)) //nolint:gosec // the caller names the folder
		if err != nil {
			v.find(name, "it is missing")
			continue
		}
		sum := sha256.New()
		_, err = io.Copy(sum, file)
		if err := errors.Join(err, file.Close()); err != nil {
			return fmt.Errorf("read %s: %w", name, err)
		}
		if stated[name] != hex.EncodeToString(sum.Sum(nil)) {
			v.find(name, "it is not the file that was written: %s holds another sum", fileSums)
		}
	}
	return nil
}

// lines reads a file of JSON, line by line. A line that cannot be read is told,
// and ends the reading.
func lines[T any](v *verifier, name string, yield func(number int, line *T) bool) error {
	file, err := os.Open(filepath.Join(v.folder, name)) //nolint:gosec // the caller names the folder
	if err != nil {
		return nil // that it is missing has been told
	}
	defer func() { _ = file.Close() }() // it was only read
	r := bufio.NewReaderSize(file, 1<<16)
	for number := 1; ; number++ {
		encoded, err := r.ReadBytes('\n')
		if errors.Is(err, io.EOF) && len(encoded) == 0 {
			return nil
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("read %s: %w", name, err)
		}
		line := new(T)
		strict := json.NewDecoder(bytes.NewReader(encoded))
		strict.DisallowUnknownFields()
		if err := strict.Decode(line); err != nil {
			v.find(name, "line %d cannot be read", number)
			return nil
		}
		if !yield(number, line) {
			return nil
		}
	}
}
