package audit_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// line is a line of a file of JSON, whatever stands in it.
type line map[string]any

func (l line) is(chain, seq int) bool {
	return l["chain"] == float64(chain) && (seq == 0 || l["seq"] == float64(seq))
}

// tampering is a copy of an export that is about to be altered.
type tampering struct {
	t      *testing.T
	folder string
}

func (x *tampering) write(name, content string) {
	x.t.Helper()
	if err := os.WriteFile(filepath.Join(x.folder, name), []byte(content), 0o600); err != nil {
		x.t.Fatal(err)
	}
}

// replace alters the first place where a text stands in a file.
func (x *tampering) replace(name, from, to string) {
	x.t.Helper()
	before := read(x.t, x.folder, name)
	after := strings.Replace(before, from, to, 1)
	if after == before {
		x.t.Fatalf("%s does not hold %q", name, from)
	}
	x.write(name, after)
}

// cut takes the rows out of a table that begin with a number.
func (x *tampering) cut(name, number string) {
	x.t.Helper()
	before := read(x.t, x.folder, name)
	after := regexp.MustCompile(`(?m)^`+number+`,(?:[^"\n]|"(?:[^"]|"")*")*\n`).ReplaceAllString(before, "")
	if after == before {
		x.t.Fatalf("%s has no row of %s", name, number)
	}
	x.write(name, after)
}

// lines alters a file of JSON as a whole.
func (x *tampering) lines(name string, alter func([]line) []line) {
	x.t.Helper()
	var all []line
	for text := range strings.Lines(read(x.t, x.folder, name)) {
		var l line
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			x.t.Fatal(err)
		}
		all = append(all, l)
	}
	var b strings.Builder
	for _, l := range alter(all) {
		encoded, err := json.Marshal(l)
		if err != nil {
			x.t.Fatal(err)
		}
		b.Write(encoded)
		b.WriteByte('\n')
	}
	x.write(name, b.String())
}

// each alters the lines of a chain, or one event of it.
func (x *tampering) each(name string, chain, seq int, alter func(line)) {
	x.t.Helper()
	found := false
	x.lines(name, func(all []line) []line {
		for _, l := range all {
			if l.is(chain, seq) {
				found = true
				alter(l)
			}
		}
		return all
	})
	if !found {
		x.t.Fatalf("%s holds no %d/%d", name, chain, seq)
	}
}

func (x *tampering) remove(name string, is func(line) bool) {
	x.t.Helper()
	x.lines(name, func(all []line) []line {
		left := slices.DeleteFunc(slices.Clone(all), is)
		if len(left) == len(all) {
			x.t.Fatalf("%s holds no such line", name)
		}
		return left
	})
}

// rewrite makes a chain follow again from body to body, and its head with it, as
// somebody would who wants to hide what they altered.
func (x *tampering) rewrite(chain int) {
	x.t.Helper()
	previous, seq := "", 0.0
	x.lines("events.jsonl", func(all []line) []line {
		for _, l := range all {
			if l.is(chain, 0) {
				l["previous"] = previous
				previous = sha(previous + "\n" + l["body"].(string))
				l["hash"], seq = previous, l["seq"].(float64)
			}
		}
		return all
	})
	x.each("changes.jsonl", chain, 0, func(l line) { l["hash"], l["seq"] = previous, seq })
}

func (x *tampering) rewriteSeals() {
	x.t.Helper()
	previous := ""
	x.lines("seals.jsonl", func(all []line) []line {
		for _, l := range all {
			l["previous"] = previous
			previous = sha(previous + "\n" + l["body"].(string))
			l["hash"] = previous
		}
		return all
	})
}

// withhold takes the texts out of a change, as if it were confidential.
func withhold(x *tampering, chain int) {
	x.lines("events.jsonl", func(all []line) []line {
		for _, l := range all {
			if texts, ok := l["texts"].(map[string]any); ok && l.is(chain, 0) {
				l["withheld"] = slices.Sorted(maps.Keys(texts))
				delete(l, "texts")
			}
		}
		return all
	})
	x.each("changes.jsonl", chain, 0, func(l line) {
		l["withheld"] = true
		columns := l["columns"].(map[string]any)
		columns["what"], columns["why"], columns["reply"], columns["links"] = "", "", "", []string{}
	})
}

// gone takes a change out of every file.
func (x *tampering) gone(chain int, number string) {
	x.t.Helper()
	is := func(l line) bool { return l.is(chain, 0) }
	x.remove("events.jsonl", is)
	x.remove("changes.jsonl", is)
	x.cut("changes.csv", number)
}

// about alters what the export says of itself.
func (x *tampering) about(alter func(line)) {
	x.t.Helper()
	var l line
	if err := json.Unmarshal([]byte(read(x.t, x.folder, "export.json")), &l); err != nil {
		x.t.Fatal(err)
	}
	alter(l)
	encoded, err := json.Marshal(l)
	if err != nil {
		x.t.Fatal(err)
	}
	x.write("export.json", string(encoded))
}

// sum makes the sums those of the altered files.
func (x *tampering) sum() {
	x.t.Helper()
	var b strings.Builder
	for text := range strings.Lines(read(x.t, x.folder, "SHA256SUMS")) {
		_, name, _ := strings.Cut(strings.TrimSuffix(text, "\n"), "  ")
		b.WriteString(sha(read(x.t, x.folder, name)) + "  " + name + "\n")
	}
	x.write("SHA256SUMS", b.String())
}

func sha(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

func inBody(from, to string) func(line) {
	return func(l line) {
		before := l["body"].(string)
		after := strings.Replace(before, from, to, 1)
		if after == before {
			panic("the body holds no " + from + ": " + before)
		}
		l["body"] = after
	}
}

func less(l line, name string) { l[name] = l[name].(float64) - 1 }

// cases are what somebody might do to an export, all sums made anew behind them,
// and what has to be said about it.
func cases() map[string]struct {
	tamper func(*tampering)
	says   string
} {
	return map[string]struct {
		tamper func(*tampering)
		says   string
	}{
		"a field of an event": {func(x *tampering) {
			x.each("events.jsonl", 3, 1, inBody(`"seconds":3600`, `"seconds":7200`))
		}, "events.jsonl: EC-3, event 1: its hash does not follow"},
		"a field of an event, and its hash": {func(x *tampering) {
			x.each("events.jsonl", 3, 1, func(l line) {
				inBody(`"seconds":3600`, `"seconds":7200`)(l)
				l["hash"] = sha("\n" + l["body"].(string))
			})
		}, "events.jsonl: EC-3, event 2: the hash before it is not that"},
		"a rewritten chain": {func(x *tampering) {
			x.each("events.jsonl", 3, 2, inBody(`"seconds":3600`, `"seconds":7200`))
			x.rewrite(3)
		}, "events.jsonl: EC-3: event 16: seal 2 holds another hash for it: something after event 0 was rewritten"},
		"a text": {func(x *tampering) {
			x.each("events.jsonl", 3, 1, func(l line) { l["texts"].(map[string]any)["why"].(map[string]any)["text"] = "Nothing" })
		}, `events.jsonl: EC-3, event 1: its text "why" is not the one that was written`},
		"a text removed": {func(x *tampering) {
			x.each("events.jsonl", 3, 1, func(l line) { delete(l["texts"].(map[string]any), "why") })
		}, "events.jsonl: EC-3, event 1: its text"},
		"a text withheld without need": {func(x *tampering) {
			x.each("events.jsonl", 3, 1, func(l line) { delete(l, "texts"); l["withheld"] = []string{"what", "why"} })
		}, "events.jsonl: EC-3, event 1: texts of it were withheld, though it is not confidential"},
		"the order of two events": {func(x *tampering) {
			x.lines("events.jsonl", func(all []line) []line {
				i := slices.IndexFunc(all, func(l line) bool { return l.is(3, 4) })
				all[i], all[i+1] = all[i+1], all[i]
				return all
			})
		}, "events.jsonl: EC-3, event 5: follows event 3"},
		"the order of two events, rewritten": {func(x *tampering) {
			x.lines("events.jsonl", func(all []line) []line {
				i := slices.IndexFunc(all, func(l line) bool { return l.is(3, 4) })
				all[i]["body"], all[i+1]["body"] = all[i+1]["body"], all[i]["body"]
				return all
			})
			x.rewrite(3)
		}, "events.jsonl: EC-3, event 4: its body is that of another event"},
		"an event deleted in the middle": {func(x *tampering) {
			x.remove("events.jsonl", func(l line) bool { return l.is(3, 5) })
		}, "events.jsonl: EC-3, event 6: follows event 4"},
		"an event deleted at the end": {func(x *tampering) {
			x.lines("events.jsonl", func(all []line) []line {
				i := slices.IndexFunc(all, func(l line) bool { return l.is(4, 1) })
				return slices.Delete(all, i-1, i)
			})
		}, "events.jsonl: EC-3: event 22 was sealed by seal 3, and is gone: the end is missing"},
		"the newest event deleted, with the head": {func(x *tampering) {
			x.lines("events.jsonl", func(all []line) []line {
				i := slices.IndexFunc(all, func(l line) bool { return l.is(3, 1) })
				return slices.Delete(all, i-1, i)
			})
			x.each("changes.jsonl", 2, 0, func(l line) { less(l, "seq") })
			x.rewrite(2)
			x.about(func(l line) { less(l, "events") })
		}, "events.jsonl: EC-2: event 3 was sealed by seal 2, and is gone"},
		"all events of a change": {func(x *tampering) {
			x.remove("events.jsonl", func(l line) bool { return l.is(6, 0) })
		}, "events.jsonl: EC-6"},
		"a change removed in the middle": {func(x *tampering) {
			x.gone(6, "EC-6")
			x.about(func(l line) { less(l, "changes") })
		}, "changes.jsonl: EC-6: this change is missing"},
		"the first change removed": {func(x *tampering) { x.gone(2, "EC-2") }, "changes.jsonl: EC-2: this change is missing"},
		"the last change removed":  {func(x *tampering) { x.gone(8, "EC-8") }, "changes.jsonl: EC-8: this change is missing"},
		"the last change removed, and the neighbour behind it": {func(x *tampering) {
			x.gone(8, "EC-8")
			x.remove("neighbours.jsonl", func(l line) bool { return l.is(9, 0) })
			x.about(func(l line) { l["given"] = 7; less(l, "changes") })
		}, "changes.jsonl: EC-9 is missing: seal 6 holds it, though the last number given is said to be 7"},
		"a change made a neighbour": {func(x *tampering) {
			var moved []line
			x.lines("events.jsonl", func(all []line) []line {
				for _, l := range all {
					if l.is(2, 0) {
						l["body"] = strings.ReplaceAll(l["body"].(string), "2026-03-02T", "2026-03-01T")
						moved = append(moved, l)
					}
				}
				return all
			})
			previous := ""
			for _, l := range moved {
				l["previous"] = previous
				previous = sha(previous + "\n" + l["body"].(string))
				l["hash"] = previous
				if texts, ok := l["texts"].(map[string]any); ok {
					l["withheld"] = slices.Sorted(maps.Keys(texts))
					delete(l, "texts")
				}
			}
			x.gone(2, "EC-2")
			x.lines("neighbours.jsonl", func(all []line) []line {
				i := slices.IndexFunc(all, func(l line) bool { return l.is(9, 0) })
				return slices.Insert(all, i, moved...)
			})
		}, "neighbours.jsonl: EC-2: event 3: seal 2 holds another hash for it"},
		"a change hidden behind its number": {func(x *tampering) {
			x.remove("changes.jsonl", func(l line) bool { return l.is(5, 0) })
		}, "events.jsonl: EC-5: there are events, though there is no such change"},
		"a head": {func(x *tampering) {
			x.each("changes.jsonl", 8, 0, func(l line) { l["hash"] = sha("x") })
		}, "events.jsonl: EC-8: "},
		"a row": {func(x *tampering) {
			x.each("changes.jsonl", 3, 0, func(l line) { l["row"] = strings.Replace(l["row"].(string), "U0CTO", "U0XXX", 1) }) // who approved
		}, "changes.jsonl: EC-3: it is not what event 22 left: somebody has altered the row"},
		"an obligation of a row": {func(x *tampering) {
			x.each("changes.jsonl", 3, 0, func(l line) {
				l["row"] = strings.Replace(l["row"].(string), `"name":"review","item":0,"state":"owed"`, `"name":"review","item":0,"state":"done"`, 1)
			})
		}, "changes.jsonl: EC-3: it is not what event 22 left"},
		"an obligation in the columns": {func(x *tampering) {
			x.each("changes.jsonl", 3, 0, func(l line) { l["columns"].(map[string]any)["record_status"] = "not due yet" })
		}, "changes.jsonl: EC-3: its column record_status is"},
		"a phase in the columns": {func(x *tampering) {
			x.each("changes.jsonl", 4, 0, func(l line) { l["columns"].(map[string]any)["phase"] = "closed" })
		}, "changes.jsonl: EC-4: its column phase is"},
		"a text in the columns": {func(x *tampering) {
			x.each("changes.jsonl", 3, 0, func(l line) { l["columns"].(map[string]any)["why"] = "Nothing" })
		}, "changes.jsonl: EC-3: its column why is not what its events say"},
		"a cell of the table":             {func(x *tampering) { x.replace("changes.csv", "EC-4,denied", "EC-4,closed") }, "changes.csv: EC-4: its column phase is not what"},
		"a row of the table":              {func(x *tampering) { x.cut("changes.csv", "EC-6") }, "changes.csv: "},
		"an exception removed":            {func(x *tampering) { x.cut("exceptions.csv", "EC-5") }, "exceptions.csv: EC-5, event 1: “reported afterwards” is missing"},
		"an exception that is none":       {func(x *tampering) { x.replace("exceptions.csv", "EC-5,1,", "EC-6,1,") }, "exceptions.csv: EC-6, event 1: “reported afterwards” is not what the event says"},
		"an event of the system chain":    {func(x *tampering) { x.each("events.jsonl", 0, 2, inBody("U2", "U8")) }, "events.jsonl: the system chain, event 2: its hash does not follow"},
		"the system chain cut at its end": {func(x *tampering) { x.remove("events.jsonl", func(l line) bool { return l.is(0, 3) }) }, "events.jsonl: the system chain: the last event is 2, and was 3"},
		"the system chain cut at its beginning": {func(x *tampering) {
			x.remove("events.jsonl", func(l line) bool { return l.is(0, 2) })
		}, "events.jsonl: the system chain, event 3: does not follow the event before the period, which is 1"},
		"a seal's body": {func(x *tampering) {
			x.lines("seals.jsonl", func(all []line) []line { inBody(`"day":"2026-03-03"`, `"day":"2026-03-02"`)(all[1]); return all })
		}, "seals.jsonl: seal 2: its hash does not follow"},
		"a seal's heads": {func(x *tampering) {
			x.lines("seals.jsonl", func(all []line) []line {
				all[1]["heads"].([]any)[0].([]any)[2] = sha("x")
				return all
			})
		}, "seals.jsonl: seal 2: its heads are not those"},
		"a seal's head removed": {func(x *tampering) {
			x.lines("seals.jsonl", func(all []line) []line { all[1]["heads"] = all[1]["heads"].([]any)[1:]; return all })
		}, "seals.jsonl: seal 2: it was made of"},
		"a seal's heads left out": {func(x *tampering) {
			x.lines("seals.jsonl", func(all []line) []line { all[1]["heads"] = nil; return all })
		}, "seals.jsonl: seal 2: its heads are missing"},
		"a seal's day, rewritten": {func(x *tampering) {
			x.lines("seals.jsonl", func(all []line) []line { inBody(`"day":"2026-03-04"`, `"day":"2026-03-02"`)(all[2]); return all })
			x.rewriteSeals()
		}, "seals.jsonl: seal 3: its day 2026-03-02 does not follow"},
		"a seal removed": {func(x *tampering) {
			x.lines("seals.jsonl", func(all []line) []line { return slices.Delete(all, 2, 3) })
		}, "seals.jsonl: seal 4: follows seal 2"},
		"the newest seal removed": {func(x *tampering) {
			x.lines("seals.jsonl", func(all []line) []line { return all[:len(all)-1] })
		}, "seals.jsonl: 5 seals hold, and export.json says 6"},
		"the newest seals removed, and their number": {func(x *tampering) {
			x.lines("seals.jsonl", func(all []line) []line { return all[:len(all)-2] })
			x.about(func(l line) { l["seals"] = 4 })
		}, "seals.jsonl: seal 5: it is gone, though event 4 of the system chain says that it was posted"},
		"all seals since one of the period removed, and their number": {func(x *tampering) {
			x.lines("seals.jsonl", func(all []line) []line { return all[:2] })
			x.about(func(l line) { l["seals"] = 2 })
		}, "seals.jsonl: seal 3: it is gone, though event 3 of the system chain says that it was posted"},
		"a seal's time, rewritten": {func(x *tampering) {
			x.lines("seals.jsonl", func(all []line) []line { inBody(`"at":"2026-03-12T01`, `"at":"2026-03-12T02`)(all[4]); return all })
			x.rewriteSeals()
		}, "seals.jsonl: seal 5: its hash is not the one that was posted, which event 4 of the system chain holds"},
		"an exception removed with its name": {func(x *tampering) {
			x.cut("exceptions.csv", "EC-5")
			x.about(func(l line) {
				less(l, "exceptions")
				l["names"] = slices.DeleteFunc(l["names"].([]any), func(n any) bool { return n == "reported afterwards" })
			})
		}, "export.json: its names lack “reported afterwards”"},
		"an exception of a condition removed with its name": {func(x *tampering) {
			x.about(func(l line) {
				l["names"] = slices.DeleteFunc(l["names"].([]any), func(n any) bool { return n == "done late" })
			})
		}, "export.json: its names lack “done late”"},
		"an exception of another name": {func(x *tampering) {
			x.about(func(l line) { l["names"] = append(l["names"].([]any), "nothing to see") })
		}, "export.json: its names hold “nothing to see”, which is no exception of this format"},
		"the moment of the export": {func(x *tampering) {
			x.about(func(l line) { l["at"] = "2026-03-06T00:00:00Z" })
		}, "export.json: it says that it was written at 2026-03-06T00:00:00Z, before "},
		"a text said to be erased, and another column": {func(x *tampering) {
			x.each("events.jsonl", 3, 1, func(l line) { delete(l["texts"].(map[string]any), "why"); l["erased"] = []string{"why"} })
			x.each("changes.jsonl", 3, 0, func(l line) { l["columns"].(map[string]any)["what"] = "Nothing" })
		}, "changes.jsonl: EC-3: its column what is not what its events say"},
		"a link in the columns": {func(x *tampering) {
			x.each("changes.jsonl", 3, 0, func(l line) { l["columns"].(map[string]any)["links"] = []string{"https://example.com/b"} })
		}, "changes.jsonl: EC-3: its column links is not what its events say"},
		"why it failed, in the columns": {func(x *tampering) {
			x.each("changes.jsonl", 7, 0, func(l line) { l["columns"].(map[string]any)["reply"] = "Nothing" })
		}, "changes.jsonl: EC-7: its column reply is not what its events say"},
		"a withheld text in the columns": {func(x *tampering) {
			x.each("changes.jsonl", 4, 0, func(l line) { l["columns"].(map[string]any)["reply"] = "Nothing" })
		}, "changes.jsonl: EC-4: texts of it stand in its columns, though they were withheld"},
		"a change withheld without need": {func(x *tampering) {
			withhold(x, 3)
		}, "changes.jsonl: EC-3: its texts were withheld without need"},
		"an export that says it was cleared": {func(x *tampering) {
			x.about(func(l line) { l["cleared"] = true })
		}, "changes.jsonl: EC-4: its texts were withheld without need"},
		"a line that is none": {func(x *tampering) { x.write("seals.jsonl", read(x.t, x.folder, "seals.jsonl")+"{\n") }, "seals.jsonl: line 7 cannot be read"},
	}
}

// tampered copies an export and alters the copy.
func tampered(t *testing.T, folder string, tamper func(*tampering)) string {
	t.Helper()
	x := &tampering{t: t, folder: filepath.Join(t.TempDir(), "export")}
	if err := os.CopyFS(x.folder, os.DirFS(folder)); err != nil {
		t.Fatal(err)
	}
	tamper(x)
	return x.folder
}

func TestWhateverIsAlteredInAnExportIsFoundAndNamed(t *testing.T) {
	t.Parallel()
	folder, _ := story(t).export(options())
	for name, c := range cases() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			copied := tampered(t, folder, func(x *tampering) { c.tamper(x); x.sum() })
			found, sum := verified(t, copied)
			if !slices.ContainsFunc(found, func(f string) bool { return strings.HasPrefix(f, c.says) }) || sum.Findings != int64(len(found)) {
				t.Errorf("found %q; want %q", found, c.says)
			}
		})
	}
}

func TestAFileThatWasAlteredOrTakenAwayIsNamed(t *testing.T) {
	t.Parallel()
	folder, _ := story(t).export(options())
	for _, name := range []string{"README.md", "changes.csv", "changes.jsonl", "events.jsonl", "exceptions.csv", "neighbours.jsonl", "seals.jsonl"} {
		altered := tampered(t, folder, func(x *tampering) { x.write(name, read(t, folder, name)+" ") })
		if found, _ := verified(t, altered); len(found) == 0 || found[0] != name+": it is not the file that was written: SHA256SUMS holds another sum" {
			t.Errorf("%s altered: found %q", name, found)
		}
		gone := tampered(t, folder, func(x *tampering) {
			if err := os.Remove(filepath.Join(x.folder, name)); err != nil {
				t.Fatal(err)
			}
		})
		if found, _ := verified(t, gone); len(found) == 0 || found[0] != name+": it is missing" {
			t.Errorf("%s gone: found %q", name, found)
		}
	}
	if found, _ := verified(t, tampered(t, folder, func(x *tampering) {
		if err := os.Remove(filepath.Join(x.folder, "SHA256SUMS")); err != nil {
			t.Fatal(err)
		}
	})); len(found) != 1 || found[0] != "SHA256SUMS: it is missing" {
		t.Errorf("without sums: found %q", found)
	}
}

// The page in docs, which shares no code with breakglass, has to say the same.
func TestThePageInPythonFindsTheSame(t *testing.T) {
	t.Parallel()
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("there is no python3 on this machine")
	}
	page, err := filepath.Abs(filepath.Join("..", "..", "docs", "verify_export.py"))
	if err != nil {
		t.Fatal(err)
	}
	verify := func(t *testing.T, folder string) (string, int) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), python, "-B", page, folder)
		cmd.Env = append(os.Environ(), "PYTHONIOENCODING=utf-8")
		out, err := cmd.CombinedOutput()
		if exit, failed := err.(*exec.ExitError); failed { //nolint:errorlint // Run answers the bare type
			return string(out), exit.ExitCode()
		} else if err != nil {
			t.Fatal(err)
		}
		return string(out), 0
	}
	s := story(t)
	folder, _ := s.export(options())
	for name, opts := range map[string]func() string{
		"not cleared": func() string { return folder },
		"cleared":     func() string { o := options(); o.Cleared = true; f, _ := s.export(o); return f },
		"no change":   func() string { o := options(); o.Since = o.Until.AddDate(0, 0, -2); f, _ := s.export(o); return f },
		"nothing":     func() string { f, _ := open(t).export(options()); return f },
	} {
		if out, code := verify(t, opts()); code != 0 || !strings.Contains(out, "nothing wrong") {
			t.Errorf("%s: exit %d\n%s", name, code, out)
		}
	}
	if out, code := verify(t, t.TempDir()); code != 2 || !strings.Contains(out, "no export") {
		t.Errorf("no export: exit %d\n%s", code, out)
	}
	altered := tampered(t, folder, func(x *tampering) { x.write("README.md", "") })
	if out, code := verify(t, altered); code != 1 || !strings.Contains(out, "README.md: it is not the file that was written") {
		t.Errorf("another README: exit %d\n%s", code, out)
	}
	for name, c := range cases() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, code := verify(t, tampered(t, folder, func(x *tampering) { c.tamper(x); x.sum() }))
			if code != 1 || !strings.Contains("\n"+out, "\n"+c.says) {
				t.Errorf("exit %d; want %q\n%s", code, c.says, out)
			}
		})
	}
}

func TestTheFewLinesOfTheFormatCheckAChain(t *testing.T) {
	t.Parallel()
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("there is no python3 on this machine")
	}
	text := read(t, filepath.Join("..", "..", "docs"), "audit-format.md")
	_, lines, _ := strings.Cut(text, "    import hashlib, json\n")
	lines, _, _ = strings.Cut(lines, "\n\n")
	program := "import hashlib, json\n" + strings.ReplaceAll("\n"+lines, "\n    ", "\n")
	folder, _ := story(t).export(options())
	for name, c := range map[string]struct {
		tamper func(*tampering)
		fails  bool
	}{
		"as it was written": {func(*tampering) {}, false},
		"a field":           {func(x *tampering) { x.each("events.jsonl", 3, 1, inBody(`"seconds":3600`, `"seconds":7200`)) }, true},
		"a rewritten chain": {func(x *tampering) {
			x.each("events.jsonl", 3, 2, inBody(`"seconds":3600`, `"seconds":7200`))
			x.rewrite(3)
		}, true},
	} {
		cmd := exec.CommandContext(t.Context(), python, "-c", program)
		cmd.Dir = tampered(t, folder, c.tamper)
		if out, err := cmd.CombinedOutput(); (err != nil) != c.fails || c.fails && !strings.Contains(string(out), "AssertionError") {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}
