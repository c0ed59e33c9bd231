package variables

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseDotenv(t *testing.T) {
	lookup := func(name string) (string, bool) { return "/home/ann", name == "HOME" }
	for _, tt := range []struct {
		text string
		want map[string]string
	}{
		{"", map[string]string{}},
		{"\ufeff# a comment\r\n\r\nA=1\r\n  B = two words  \n", map[string]string{"A": "1", "B": "two words"}},
		{"export A=1\nexport=2\nC=", map[string]string{"A": "1", "export": "2", "C": ""}},
		{"A=1 # comment\nB=1#no comment\nC=#comment\nD='#' # x", map[string]string{"A": "1", "B": "1#no comment", "C": "", "D": "#"}},
		{`A='$HOME \n' ` + "\n" + `B="x\ny\t\"\\\$HOME"`, map[string]string{"A": `$HOME \n`, "B": "x\ny\t\"\\$HOME"}},
		{"A='two\nlines'\nB=\"two\nlines\"", map[string]string{"A": "two\nlines", "B": "two\nlines"}},
		{"A=x\nB=$A/${A}y\nC=$NONE.\nD=\"${HOME}\"\nE=$HOME\nHOME=z\nF=$HOME", map[string]string{
			"A": "x", "B": "x/xy", "C": ".", "D": "/home/ann", "E": "/home/ann", "HOME": "z", "F": "/home/ann"}},
		{"A=5$\nB=${x\nC=\\$HOME\nD=a' 'b", map[string]string{"A": "5$", "B": "${x", "C": "$HOME", "D": "a b"}},
		{"A=1\nA=2\nmy.key=3\nU=a=b", map[string]string{"A": "2", "my.key": "3", "U": "a=b"}},
	} {
		got, err := parseDotenv(tt.text, lookup)
		if err != nil {
			t.Errorf("%q: %v", tt.text, err)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%q: (-want +got)\n%s", tt.text, diff)
		}
	}
	for text, want := range map[string]string{
		"A=1\nB":         "2: not an assignment NAME=VALUE",
		"=x":             "1: not an assignment NAME=VALUE",
		"A=1\n\nB='x\ny": "3: a quote ' is not closed",
		"B=\"x\n\n":      "1: a quote \" is not closed",
	} {
		if _, err := parseDotenv(text, lookup); err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

func FuzzParseDotenv(f *testing.F) {
	f.Add("export A='x' \"y\" $z ${A} # c\n")
	f.Fuzz(func(t *testing.T, text string) {
		// That it ends, and does not panic, is the property.
		parseDotenv(text, func(string) (string, bool) { return "", false })
	})
}
