package internal_test

import (
	"go/ast"
	"go/token"
	"regexp"
	"strings"
	"testing"
)

// testNames are all tests and fuzz targets that there are.
func testNames(t *testing.T) map[string]bool {
	t.Helper()
	all := map[string]bool{}
	for _, s := range sources(t) {
		if !s.isTest() {
			continue
		}
		for _, d := range s.parsed.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil {
				all[f.Name.Name] = true
			}
		}
	}
	return all
}

var testName = regexp.MustCompile("`((?:Test|Fuzz)[A-Z]\\w+)`")

func TestEveryTestThatTheSecurityPageNamesExists(t *testing.T) {
	t.Parallel()
	all, page := testNames(t), file(t, "docs/security.md")
	named := map[string]bool{}
	for _, m := range testName.FindAllStringSubmatch(page, -1) {
		named[m[1]] = true
		if !all[m[1]] {
			t.Errorf("docs/security.md names %s, which is not there", m[1])
		}
	}
	if len(named) < 80 {
		t.Errorf("the page names %d tests only", len(named))
	}
	for line := range strings.Lines(page) {
		row := strings.HasPrefix(line, "| ") && !strings.HasPrefix(line, "| what they try") && !strings.HasPrefix(line, "| into |") && !strings.HasPrefix(line, "| where they could")
		if row && !testName.MatchString(line) {
			t.Errorf("no test shows it: %s", line)
		}
	}
	for name := range all {
		if strings.HasPrefix(name, "Fuzz") && !named[name] {
			t.Errorf("docs/security.md does not name the fuzz target %s", name)
		}
	}
}

// Comparing a signature byte by byte tells by its time how much of it is right.
func TestEverySignatureIsComparedInConstantTime(t *testing.T) {
	t.Parallel()
	signers := 0
	for _, s := range sources(t) {
		mac := importedAs(s.parsed, "crypto/hmac")
		if mac == "" || s.isTest() || strings.HasPrefix(s.name, "internal/sandbox/") {
			continue
		}
		signers++
		compares := false
		ast.Inspect(s.parsed, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				switch called(n) {
				case mac + ".Equal":
					compares = true
				case "bytes.Equal", "bytes.Compare", "strings.EqualFold", "slices.Equal", "reflect.DeepEqual":
					t.Errorf("%s compares with %s beside a signature", s.name, called(n))
				}
			case *ast.BinaryExpr:
				if (n.Op == token.EQL || n.Op == token.NEQ) && (sums(n.X) || sums(n.Y)) {
					t.Errorf("%s compares a signature with %s", s.name, n.Op)
				}
			}
			return true
		})
		if !compares {
			t.Errorf("%s makes a signature, and does not compare it with hmac.Equal", s.name)
		}
	}
	if signers < 3 {
		t.Errorf("%d files verify signatures; there are those of Slack, Jira and incident.io", signers)
	}
}

// called is the function of a call as package.Name; empty for any other.
func called(call *ast.CallExpr) string {
	selector, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	name, ok := selector.X.(*ast.Ident)
	if !ok {
		return ""
	}
	return name.Name + "." + selector.Sel.Name
}

// sums tells whether an expression holds the sum of a hash.
func sums(e ast.Expr) bool {
	found := false
	ast.Inspect(e, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok {
			if s, ok := call.Fun.(*ast.SelectorExpr); ok && s.Sel.Name == "Sum" {
				found = true
			}
		}
		return true
	})
	return found
}
