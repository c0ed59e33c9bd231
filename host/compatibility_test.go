package host

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/minispin/minispin/component"
	"github.com/minispin/minispin/host/denied"
	"github.com/minispin/minispin/host/spinhttp"
	"github.com/minispin/minispin/host/variables"
	"github.com/minispin/minispin/host/wasi"
	"github.com/minispin/minispin/host/wasihttp"
	"github.com/minispin/minispin/wit"
	"github.com/minispin/minispin/wit/packages"
)

// row is a row of the table of interfaces in docs/compatibility.md.
type row struct {
	pkg, version string
	interfaces   []string
	status       string // its first word: offered, denied, called, not, types
}

func (r row) covers(i *wit.Interface) bool {
	if r.pkg != i.Package.Namespace+":"+i.Package.Name || !slices.Contains(r.interfaces, i.Name) {
		return false
	}
	if track, ok := strings.CutSuffix(r.version, "x"); ok {
		return strings.HasPrefix(i.Package.Version, track)
	}
	return r.version == i.Package.Version || r.version == "none" && i.Package.Version == ""
}

// compatibilityRows reads the table.
func compatibilityRows(t *testing.T) []row {
	t.Helper()
	text, err := os.ReadFile("../docs/compatibility.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, ok := strings.Cut(string(text), "\n| Package | Interfaces | Version | |")
	if !ok {
		t.Fatal("docs/compatibility.md has no table of interfaces")
	}
	table, _, _ = strings.Cut(strings.ReplaceAll(table, "\r", ""), "\n\n")
	var rows []row
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z:]+)` \\| ([a-z0-9, -]+) \\| (\\S+) \\| ([a-z]+)").FindAllStringSubmatch(table, -1) {
		rows = append(rows, row{pkg: m[1], interfaces: strings.Split(m[2], ", "), version: m[3], status: m[4]})
	}
	if lines := strings.Count(table, "\n| `"); len(rows) != lines {
		t.Fatalf("%d rows of the table were understood, of %d", len(rows), lines)
	}
	return rows
}

// TestCompatibilityTable holds the table of interfaces in docs/compatibility.md
// against the code: each interface stands in one row, and the row says what has
// become of it.
func TestCompatibilityTable(t *testing.T) {
	defined := func(define func(*component.Linker) error) []string {
		l := component.NewLinker()
		if err := define(l); err != nil {
			t.Fatal(err)
		}
		return l.Interfaces()
	}
	offered := slices.Concat(defined(wasi.Define), defined(wasihttp.Define), defined(variables.Define), defined(spinhttp.Define))
	refused := defined(denied.Define)

	set, err := wit.LoadFS(packages.Files)
	if err != nil {
		t.Fatal(err)
	}
	rows := compatibilityRows(t)
	listed := 0
	for _, p := range set.Packages {
		for _, i := range p.Interfaces {
			at := slices.IndexFunc(rows, func(r row) bool { return r.covers(i) })
			if at < 0 {
				t.Errorf("docs/compatibility.md does not list %s", i.ID())
				continue
			}
			listed++
			base, _, _ := strings.Cut(i.ID(), "@")
			want := []string{"types"}
			switch {
			case slices.Contains(exported, base):
				want = []string{"called", "not"}
			case slices.Contains(offered, i.ID()):
				want = []string{"offered"}
			case slices.Contains(refused, i.ID()):
				want = []string{"denied"}
			}
			if !slices.Contains(want, rows[at].status) {
				t.Errorf("docs/compatibility.md says of %s %q, and it is %q", i.ID(), rows[at].status, want)
			}
		}
	}
	total := 0
	for _, r := range rows {
		total += len(r.interfaces)
	}
	if listed != total {
		t.Errorf("docs/compatibility.md lists %d interfaces, wit/packages has %d of them", total, listed)
	}
}
